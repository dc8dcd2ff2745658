// Worker side, and read in pages: the memory of a Python that has just started, kept by the browser.
// Most of it is zero: only pages of memory with something in them are kept.
const CACHE = 'cioanalytics';
const PAGE = 4096; // bytes

const address = (base) => base + 'snapshot?' + __BUILD__;

/** Numbers of the pages that are not empty, the size of the memory, then the pages. */
export const pack = (memory) => {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
  const full = [];
  for (let page = 0; page < memory.length / PAGE; page++) {
    const start = (page * PAGE) / 8;
    for (let at = start; at < start + PAGE / 8; at++) {
      if (words[at]) {
        full.push(page);
        break;
      }
    }
  }
  const head = new Uint32Array([memory.length, full.length, ...full]);
  return new Blob([head, ...full.map((page) => memory.subarray(page * PAGE, (page + 1) * PAGE))]);
};

export const unpack = (buffer) => {
  const [size, number] = new Uint32Array(buffer, 0, 2);
  const memory = new Uint8Array(size);
  new Uint32Array(buffer, 8, number).forEach((page, nth) =>
    memory.set(new Uint8Array(buffer, 8 + number * 4 + nth * PAGE, PAGE), page * PAGE),
  );
  return memory;
};

/** What an earlier visit kept of this very build, if anything. */
export const read = async (base) => {
  try {
    const kept = await caches.match(address(base), { cacheName: CACHE });
    return kept && unpack(await kept.arrayBuffer());
  } catch {
    return; // no such store, or no access to it
  }
};

/** Keep it instead of that of other builds. */
export const write = async (base, memory) => {
  try {
    await forget();
    const cache = await caches.open(CACHE);
    await cache.put(address(base), new Response(pack(memory)));
  } catch {
    return; // no room: the next visit starts as this one did
  }
};

export const forget = () => caches.delete(CACHE);
