// Page side: what a call is at the moment it is made - its arguments, the time and the page.

/** The page as it is now. */
export const page = () => {
  const links = document.querySelectorAll('link[rel=canonical]');
  return {
    href: location.href,
    title: document.title,
    referrer: document.referrer,
    canonical: (links.length && links[links.length - 1].getAttribute('href')) || '',
  };
};

/**
 * Arguments as JSON text, so that later changes by the caller change nothing. Trailing undefined
 * is cut; BigInt becomes its digits, a RegExp {$regex, $flags}, the closing of a cycle
 * "[Circular]"; functions and DOM nodes vanish, but a function becomes what `mark` gives for it.
 */
export const freeze = (args, mark) => {
  let length = args.length;
  while (length && args[length - 1] === undefined) length--;
  const open = [];
  return JSON.stringify(args.slice(0, length), function (_, value) {
    while (open.length && open[open.length - 1] !== this) open.pop();
    if (typeof value == 'bigint') return '' + value;
    if (mark && typeof value == 'function') return mark(value);
    if (value && typeof value == 'object') {
      if (value instanceof RegExp) return { $regex: value.source, $flags: value.flags };
      if (value.nodeType && value.nodeName) return;
      if (open.includes(value)) return '[Circular]';
      open.push(value);
    }
    return value;
  });
};
