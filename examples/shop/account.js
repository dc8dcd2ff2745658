import { whenTracked } from './shop.js';
import { remember, remembered } from './teas.js';

const COMPANIES = {
  'harbour-hotel': { name: 'Harbour Hotel', employees: 120, plan: 'trade' },
  'north-cafe': { name: 'North Café', employees: 6, plan: 'trade' },
  'print-works': { name: 'Print Works', employees: 34, plan: 'office' },
};

const element = (id) => document.getElementById(id);

const showAccount = () => {
  const account = remembered('account', null);
  element('sign-in-form').hidden = !!account;
  element('signed-in').hidden = !account;
  element('account-name').textContent = account ? account.name || account.id : '';
};

element('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = element('user-id').value;
  const traits = { name: element('user-name').value, email: element('user-email').value };
  whenTracked((cioanalytics) => cioanalytics.identify(id, traits));
  remember('account', { id, ...traits });
  showAccount();
  element('sign-out').focus();
});

element('sign-out').addEventListener('click', () => {
  whenTracked((cioanalytics) => cioanalytics.reset()); // a new, unrelated visitor from here on
  remember('account', null);
  showAccount();
  element('company-status').textContent = '';
  element('user-id').focus();
});

element('company-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = element('group-id').value;
  const traits = COMPANIES[id];
  whenTracked((cioanalytics) => cioanalytics.group(id, traits));
  element('company-status').textContent = `You buy for ${traits.name} now.`;
});

showAccount();
