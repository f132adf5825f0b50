/* The page for addresses that are not in the book must find the book first: an address does not say how many of its
 * folders belong to the host. The build may know it (KNOWN, written above this text), or a name of the site's root (one
 * of NAMES) tells it, in this address or in the one the reader comes from; hosts of projects have the book in their
 * first folder.
 *
 * REST is the page itself. It is written when its base is known: from links in plain sight, browsers fetch ahead, and
 * would fetch from the wrong folder. */
(() => {
  'use strict';
  const place = new RegExp(`^(.*?/)(?:${NAMES.join('|')})`);
  const before = (address) => address.match(place)?.[1];

  function base() {
    const { protocol, origin, hostname, pathname } = location;
    if (protocol !== 'file:' && KNOWN && pathname.startsWith(KNOWN)) return KNOWN;
    const comesFrom = document.referrer.startsWith(`${origin}/`) ? new URL(document.referrer).pathname : '';
    const project = /\.(github|gitlab)\.io$/.test(hostname) && pathname.match(/^\/[^/]+\//)?.[0];
    return before(pathname) || before(comesFrom) || project || '/';
  }

  // With a base, a fragment alone would lead away from this page.
  addEventListener('DOMContentLoaded', () => {
    for (const link of document.querySelectorAll('a[href^="#"]')) {
      link.href = location.pathname + location.search + link.getAttribute('href');
    }
  });
  // The service worker, which knows its place, has set the base already.
  document.write((document.querySelector('base') ? '' : `<base href="${base()}">`) + REST);
})();
