// The shop itself: what is sold, and the basket. Nothing here knows of the tracker.
//
// The shop keeps its own state in the session storage, so that the cookies and the local storage
// that the panel shows are the tracker's alone.

export const CURRENCY = 'EUR';

export const TEAS = [
  {
    id: 'gyokuro',
    name: 'Gyokuro',
    category: 'Green',
    price: 18,
    grams: 50,
    degrees: 60,
    steep: '2 min',
    leaf: '5 g',
    origin: 'Uji, Japan',
    text: 'Grown in the shade for three weeks before the harvest. Tastes of broth and young peas; hotter water would only make it bitter.',
  },
  {
    id: 'sencha',
    name: 'Sencha',
    category: 'Green',
    price: 9.5,
    grams: 80,
    degrees: 75,
    steep: '1 min',
    leaf: '4 g',
    origin: 'Shizuoka, Japan',
    text: 'The everyday green tea: steamed, rolled, bright. Let the kettle stand for five minutes, then pour a second and a third time.',
  },
  {
    id: 'oolong',
    name: 'Rock Oolong',
    category: 'Oolong',
    price: 14,
    grams: 60,
    degrees: 90,
    steep: '40 s',
    leaf: '6 g',
    origin: 'Wuyi, China',
    text: 'Dark twisted leaves, roasted over charcoal. Smells of wet stone and apricot, and gives six or seven short infusions.',
  },
  {
    id: 'assam',
    name: 'Assam',
    category: 'Black',
    price: 7.8,
    grams: 100,
    degrees: 98,
    steep: '4 min',
    leaf: '3 g',
    origin: 'Dibrugarh, India',
    text: 'Malty, brisk, nearly red in the cup. Takes water straight off the boil, and takes milk.',
  },
];

export const teaById = (id) => TEAS.find((tea) => tea.id === id);

export const money = (amount) =>
  new Intl.NumberFormat('en', { style: 'currency', currency: CURRENCY }).format(amount);

/** A tea as events describe it. */
export const asProduct = (tea, quantity) => ({
  product_id: tea.id,
  name: tea.name,
  category: tea.category,
  price: tea.price,
  ...(quantity && { quantity }),
});

// ---- session ----------------------------------------------------------------------------------

/** A value that lasts as long as the tab. */
export const remembered = (name, otherwise) => {
  try {
    return JSON.parse(sessionStorage.getItem('shop.' + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
};

export const remember = (name, value) => {
  try {
    sessionStorage.setItem('shop.' + name, JSON.stringify(value));
  } catch {
    // the storage is denied: it is forgotten with the page
  }
};

// ---- basket -----------------------------------------------------------------------------------

/** The lines of the basket: [{ tea, quantity }, …]. */
export const basket = () =>
  Object.entries(remembered('basket', {}))
    .map(([id, quantity]) => ({ tea: teaById(id), quantity }))
    .filter(({ tea }) => tea);

export const total = (lines) =>
  Math.round(lines.reduce((sum, { tea, quantity }) => sum + tea.price * quantity, 0) * 100) / 100;

export const addToBasket = (tea, quantity) => {
  const held = remembered('basket', {});
  remember('basket', { ...held, [tea.id]: (held[tea.id] || 0) + quantity });
  showBasket();
};

export const emptyBasket = () => {
  remember('basket', {});
  showBasket();
};

/** The count in the header of every page. */
export const showBasket = () => {
  const count = basket().reduce((sum, { quantity }) => sum + quantity, 0);
  document.getElementById('basket').textContent = `Basket: ${count}`;
};

showBasket();
