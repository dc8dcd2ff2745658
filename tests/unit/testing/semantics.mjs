// Recomputes the expected values of semantics.json with this machine's JavaScript:
//     node tests/unit/testing/semantics.mjs
// To add a case, write [input, null] into the table and run it. Inputs: texts; numbers as text that
// both Number() and float() read; times in milliseconds; addresses as [text, base].
import { readFileSync, writeFileSync } from "node:fs";

export const functions = {
  encode_component: (text) => encodeURIComponent(text.toWellFormed()),
  decode_component: (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return null;
    }
  },
  number_text: (text) => String(Number(text)),
  iso_time: (ms) => new Date(ms).toISOString(),
  utc_text: (ms) => new Date(ms).toUTCString(),
  parse_url: ([text, base]) => {
    if (!URL.canParse(text, base || undefined)) return null;
    const url = new URL(text, base || undefined);
    const parts = ["href", "protocol", "host", "hostname", "pathname", "search", "hash"];
    return Object.fromEntries(parts.map((part) => [part, url[part]]));
  },
};

const file = new URL("semantics.json", import.meta.url);
const table = JSON.parse(readFileSync(file, "utf8"));
const blocks = Object.entries(table).map(([name, rows]) => {
  const lines = rows.map(([input]) => "    " + JSON.stringify([input, functions[name](input)]));
  return `  ${JSON.stringify(name)}: [\n${lines.join(",\n")}\n  ]`;
});
const escape = (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0");
const text = `{\n${blocks.join(",\n")}\n}\n`;
writeFileSync(file, text.replace(/[^\n -~]/g, escape));
