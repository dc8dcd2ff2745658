// Page side: the script tag and the global object that it makes work, with the tools of tools.js.
import { attach } from './stub.js';
import { tools } from './tools.js';

export const script = document.currentScript;
const { globalAnalyticsKey: key = 'cioanalytics' } = script.dataset;
export const target = __ALONE__ ? (window[key] = attach(window[key] || {})) : window[key];
export const { cookie, keyOf, names, page, parsed, tried } = __ALONE__ ? tools : target._.t;
