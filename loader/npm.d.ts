export type Values = Record<string, unknown>;

/** Event, attempts and, if it was not sent, why. */
export interface Context {
  event: Values;
  attempts: number;
  failed?: string;
}

export type Done = (context: Context) => void;
export type Tracked = Promise<Context | null>;

export interface Entity {
  id(value?: string | null): string | null;
  traits(value?: Values | null): Values;
  logout(): void;
  reset(): void;
}

export interface User extends Entity {
  anonymousId(value?: string | null): string | null;
}

export interface Queue {
  pending: number;
  oldest: string | null;
  bytes: number;
  dropped: number;
}

export interface TrackerError {
  message: string;
  detail: string;
}

/** The API, as docs/api.md of the tracker describes it. */
export interface Analytics {
  track(event: string, properties?: Values, options?: Values | Done, done?: Done): Tracked;
  page(category?: string | Values | Done, name?: string | Values, properties?: Values, options?: Values, done?: Done): Tracked;
  screen(category?: string | Values | Done, name?: string | Values, properties?: Values, options?: Values, done?: Done): Tracked;
  identify(userId?: string | Values | null, traits?: Values, options?: Values | Done, done?: Done): Tracked;
  group(groupId: string, traits?: Values, options?: Values | Done, done?: Done): Tracked;
  alias(to: string, from?: string, options?: Values, done?: Done): Tracked;
  user(): User;
  group(): Entity;
  setAnonymousId(id: string): string | null;
  reset(): Promise<void>;
  ready(done?: () => void): Promise<unknown>;
  flush(): Promise<void>;
  queue(): Promise<Queue | null>;
  on(name: 'error', listener: (error: TrackerError) => void): this;
  on(name: string, listener: (...args: any[]) => void): this;
  once(name: string, listener: (...args: any[]) => void): this;
  off(name: string, listener: (...args: any[]) => void): this;
  debug(on: boolean): this;
  /** Further methods, Snowplow's among them. */
  [method: string]: any;
}

/**
 * Load the tracker. `base` is where the folder `assets` of this package is hosted, by default the folder of a release.
 * Without a page, as on a server, the methods of the answer do nothing.
 */
export function load(writeKey: string, options?: Values, base?: string): Analytics;
