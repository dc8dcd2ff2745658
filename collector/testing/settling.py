"""Knows how to ask the pages that Playwright or Selenium drive whether anything waits there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

READ_ON = "See docs/testing.md#browser-tests"

# Sends what waits, until nothing does; answers what is wrong, or nothing.
SETTLE = """async ([name, ms]) => {
  const tracker = window[name];
  if (!tracker?.flush) return `there is no global ${name}`;
  let waits = 'the tracker does not start', over = false;
  const settle = async () => {
    while (!over) {
      await tracker.flush();
      const { pending = 0 } = (await tracker.queue()) ?? {};
      if (!pending) return '';
      waits = `${pending} event(s) wait`;
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const late = new Promise((done) => setTimeout(() => done(waits), ms));
  const outcome = await Promise.race([settle(), late]);
  over = true;
  return outcome;
}"""
FOR_SELENIUM = (
    f"const [given, done] = arguments; ({SETTLE})(given).then(done, (e) => done(e + ''));"
)


def settle(driven: Any, name: str, timeout: float) -> Iterator[str]:
    """Have each page of what a test drives send what waits; yield what is wrong with one of them.

    Takes a page, context or browser of Playwright's synchronous API, or a driver of Selenium, whose
    windows are all looked at; the timeout is in s. Raises TypeError for anything else.
    """
    given = [name, timeout * 1000]
    if hasattr(driven, "execute_async_script"):
        current = driven.current_window_handle
        for handle in driven.window_handles:
            driven.switch_to.window(handle)
            yield from _named(driven.current_url, driven.execute_async_script(FOR_SELENIUM, given))
        driven.switch_to.window(current)
        return
    pages = [driven]
    if hasattr(driven, "contexts"):
        pages = [page for context in driven.contexts for page in context.pages]
    elif hasattr(driven, "pages"):
        pages = driven.pages
    for page in pages:
        if not hasattr(page, "evaluate") or inspect.iscoroutinefunction(page.evaluate):
            raise TypeError(
                f"settled: {driven!r} is no page; allowed: pages, contexts and browsers of "
                "Playwright's synchronous API, and drivers of Selenium. In others, wait for "
                f"`{name}.flush()` in each page. {READ_ON}"
            )
        yield from _named(page.url, page.evaluate(SETTLE, given))


def _named(url: str, wrong: object) -> list[str]:
    return [f"{url}: {wrong}"] if wrong else []
