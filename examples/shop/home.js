import './shop.js';
import { asProduct, teaById } from './teas.js';

// The page goes away with the click. The tracker delivers the event all the same.
document.getElementById('teas').addEventListener('click', (event) => {
  const link = event.target.closest('a[data-tea]');
  if (link) cioanalytics.track('Product Clicked', asProduct(teaById(link.dataset.tea)));
});

document.getElementById('newsletter-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const email = document.getElementById('newsletter-email').value;
  cioanalytics.identify({ email }); // no user id: the visitor stays anonymous
  document.getElementById('newsletter-status').textContent = `Thank you. The next letter goes to ${email}.`;
});
