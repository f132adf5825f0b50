/* The page for addresses that are not in the book must find the book first: an address does not say how many of its
 * folders belong to the host. The build may know it (KNOWN, written above this text), or a name of the site's root (one
 * of NAMES) tells it, in this address or in the one the reader comes from; hosts of projects have the book in their
 * first folder. */
(() => {
  'use strict';
  const place = new RegExp(`^(.*?/)(?:${NAMES.join('|')})`);
  const before = (address) => address.match(place)?.[1];
  const comesFrom = document.referrer.startsWith(`${location.origin}/`) ? new URL(document.referrer).pathname : '';
  const project = /\.(github|gitlab)\.io$/.test(location.hostname) && location.pathname.match(/^\/[^/]+\//)?.[0];
  if (!document.querySelector('base')) {    // the service worker, which knows its place, has set one
    const base = document.createElement('base');
    const sure = location.protocol !== 'file:' && KNOWN && location.pathname.startsWith(KNOWN) && KNOWN;
    base.href = sure || before(location.pathname) || before(comesFrom) || project || '/';
    document.head.prepend(base);
  }
  // With a base, a fragment alone would lead away from this page.
  addEventListener('DOMContentLoaded', () => {
    for (const link of document.querySelectorAll('a[href^="#"]')) {
      link.href = location.pathname + location.search + link.getAttribute('href');
    }
  });
})();
