/* The page for addresses that are not in the book must find the book first: an address does not say how many of its
 * folders belong to the host. Known to the build ('ROOT'), or told by a name of the site's root ('NAMES') in this
 * address or in the one the reader comes from; hosts of projects have the book in their first folder. */
(() => {
  'use strict';
  const known = 'ROOT';
  const place = new RegExp(`^(.*?/)(?:404\\.html|${'NAMES'.join('|')})`);
  const before = (address) => address.match(place)?.[1];
  const comesFrom = document.referrer.startsWith(`${location.origin}/`) ? new URL(document.referrer).pathname : '';
  const project = /\.(github|gitlab)\.io$/.test(location.hostname) && location.pathname.match(/^\/[^/]+\//)?.[0];
  if (!document.querySelector('base')) {    // the service worker, which knows its place, has set one
    const base = document.createElement('base');
    const sure = location.protocol !== 'file:' && known && location.pathname.startsWith(known) && known;
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
