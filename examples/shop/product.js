import './shop.js';
import { CURRENCY, TEAS, addToBasket, asProduct, basket, emptyBasket, money, teaById, total } from './teas.js';

const tea = teaById(new URLSearchParams(location.search).get('id')) || TEAS[0];
const element = (id) => document.getElementById(id);
const show = (id, text) => (element(id).textContent = text);
const quantity = () => Math.max(1, Math.floor(element('quantity').valueAsNumber) || 1);

document.title = `${tea.name} – Eighty Degrees`;
element('cup').dataset.tea = tea.id;
show('tea-name', tea.name);
show('tea-category', `${tea.category} tea`);
show('tea-text', tea.text);
show('tea-degrees', `${tea.degrees}°`);
show('tea-steep', tea.steep);
show('tea-leaf', tea.leaf);
show('tea-origin', tea.origin);
show('tea-price', money(tea.price));
show('tea-grams', `for ${tea.grams} g`);

const showLines = () => {
  const lines = basket();
  const names = lines.map((line) => `${line.quantity} × ${line.tea.name}`).join(', ');
  show('basket-lines', lines.length ? `In your basket: ${names} (${money(total(lines))})` : 'Your basket is empty.');
};

showLines();
cioanalytics.track('Product Viewed', { ...asProduct(tea), currency: CURRENCY });

element('order-form').addEventListener('submit', (event) => {
  event.preventDefault();
  addToBasket(tea, quantity());
  showLines();
  show('order-status', `Added ${quantity()} × ${tea.name}.`);
  cioanalytics.track('Product Added', { ...asProduct(tea, quantity()), currency: CURRENCY });
});

// buys the basket, and this tea too if it is not in there yet
element('buy').addEventListener('click', () => {
  if (!basket().some((line) => line.tea === tea)) addToBasket(tea, quantity());
  const lines = basket();
  const order = `order-${Date.now().toString(36)}`;
  cioanalytics.track('Order Completed', {
    order_id: order,
    total: total(lines),
    currency: CURRENCY,
    products: lines.map((line) => asProduct(line.tea, line.quantity)),
  });
  emptyBasket();
  showLines();
  show('order-status', `Ordered for ${money(total(lines))}. Your number is ${order}. (Nothing is sold here.)`);
});
