// A test of the demo shop with Playwright for Node: the collector's Micro routes say what arrived.
//   node --test shop.test.mjs         (SHOP is the address where `python3 build.py demo` serves it)
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const shop = process.env.SHOP ?? 'http://127.0.0.1:8000';
const micro = async (route) => (await fetch(`${shop}/micro/${route}`)).json();

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
});
after(() => browser.close());
beforeEach(() => micro('reset'));

test('an order is tracked, and nothing bad', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${shop}/product.html?id=assam`);
  await page.click('#buy');
  await page.evaluate(() => cioanalytics.flush());
  const good = await micro('good');
  const tracked = good.map(({ event }) => event.unstruct_event?.data?.data);
  const orders = tracked.filter((data) => data?.event === 'Order Completed');
  assert.equal(orders.length, 1);
  assert.equal(orders[0].properties.total, 7.8);
  assert.deepEqual(await micro('all'), { total: good.length, good: good.length, bad: 0 });
});
