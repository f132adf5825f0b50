/* Offline reading is turned off (derivations_offline: false): this worker takes the place of an earlier one, removes
 * what that had kept, and then itself. Browsers look for it when a reader opens any page. */
'use strict';

const MINE = `derivations ${new URL('.', self.location).href} `;

async function clear() {
  const names = (await caches.keys()).filter((name) => name.startsWith(MINE));
  await Promise.all(names.map((name) => caches.delete(name)));
  await self.registration.unregister();
}

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(clear()));
