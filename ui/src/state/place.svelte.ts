// The browser's address as state: every page reads it here and writes it here.
import { browserLang, isLang, language, type Lang } from "../i18n/index.svelte";
import { parseRoute, withQuery, type Query } from "./route";

class Place {
  path = $state(location.pathname);
  search = $state(location.search);
  query = $derived(new URLSearchParams(this.search));
  route = $derived(parseRoute(this.path));
}

export const place = new Place();

function read(): void {
  place.path = location.pathname;
  place.search = location.search;
  const lang = new URLSearchParams(location.search).get("lang");
  if (isLang(lang)) language.lang = lang;
}

/** An address inside the page, with the language carried along. */
export function href(path: string, query: Query = {}): string {
  return `${path}${withQuery("", { ...query, lang: language.lang })}`;
}

/** Goes to another page. */
export function go(path: string, query: Query = {}): void {
  history.pushState(null, "", href(path, query));
  read();
  scrollTo(0, 0);
}

/** Changes the view of this page; the address follows. */
export function setQuery(changes: Query, how: "replace" | "push" = "replace"): void {
  const next = `${location.pathname}${withQuery(location.search, changes)}${location.hash}`;
  if (how === "push") history.pushState(null, "", next);
  else history.replaceState(null, "", next);
  read();
}

export function setLang(lang: Lang): void {
  language.lang = lang;
  setQuery({ lang });
}

function followLink(click: MouseEvent): void {
  if (click.defaultPrevented || click.button !== 0) return;
  if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
  const link = click.target instanceof Element ? click.target.closest("a") : null;
  if (!link || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  const samePage = url.pathname === location.pathname && url.search === location.search;
  if (samePage && url.hash !== "") return;
  click.preventDefault();
  history.pushState(null, "", url);
  read();
  scrollTo(0, 0);
}

/** Called once, before the page is drawn. */
export function startPlace(): void {
  const lang = new URLSearchParams(location.search).get("lang");
  language.lang = isLang(lang) ? lang : browserLang(navigator.languages);
  const path = location.pathname === "/" ? "/runs" : location.pathname;
  history.replaceState(null, "", `${path}${withQuery(location.search, { lang: language.lang })}${location.hash}`);
  read();
  addEventListener("popstate", read);
  document.addEventListener("click", followLink);
}
