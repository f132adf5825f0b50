/* The book without a network: starts the service worker, and says when a new version is there.
 *
 * Authors see what they have built: on localhost no worker is started. On http://book.localhost:8000 one is.
 */
(() => {
'use strict';

const ROOT = new URL('..', document.currentScript.src).href;
const AUTHOR = ['localhost', '127.0.0.1', '[::1]'];
const LATER = 'derivations-new-version-later';
const SAYS = {
  file: 'You are reading the book from a folder on this device. It needs no network.',
  author: 'On localhost the book is not kept, so that its authors always see what they have built.',
  unable: 'This browser does not keep the book: it lacks what is needed, or the address does not begin with https.',
  asks: 'Your browser asks sites to save data, so the book was not fetched.',
  fetching: 'The book is being fetched now, in the background.',
  kept: 'The book is on this device: every page opens without a network.',
  failed: 'The book could not be fetched whole: the network or the free memory did not last. '
    + 'The next page that you open tries again.',
};
const workers = navigator.serviceWorker;

/** What stands in the way of keeping the book, if anything. */
function obstacle() {
  if (location.protocol === 'file:') return 'file';
  if (!workers) return 'unable';
  return AUTHOR.includes(location.hostname) ? 'author' : '';
}

// ---------------------------------------------------------------- the page about reading without a network

const line = () => document.querySelector('[data-offline-status]');

function say(what) {
  const place = line();
  if (!place) return;
  place.dataset.offlineStatus = what;
  place.textContent = SAYS[what];
}

/** A button for readers who save data, below the line. */
function offerToFetch() {
  say('asks');
  if (!line()) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Fetch the book now';
  button.addEventListener('click', () => {
    button.remove();
    register();
  });
  line().after(button);
}

function follow(registration) {
  if (registration.active) return say('kept');
  const worker = registration.installing ?? registration.waiting;
  const show = () => {
    if (worker.state === 'redundant') say('failed');
    else say(['installing', 'installed'].includes(worker.state) ? 'fetching' : 'kept');
  };
  worker?.addEventListener('statechange', show);
  if (worker) show();
}

// ---------------------------------------------------------------- a new version

function showNews(registration) {
  // A page that came from the network, past the worker, is new already.
  if (!registration.waiting || !workers.controller || document.querySelector('.new-version')) return;
  if (sessionStorage.getItem(LATER)) return;
  const bar = document.createElement('section');
  bar.className = 'new-version d-print-none';
  bar.setAttribute('aria-label', 'New version');
  bar.innerHTML = `<p role="status"></p><div><button type="button" data-do="load">Load it</button>
    <button type="button" data-do="later">Later</button></div>`;
  document.body.append(bar);
  // Text that comes into a status line that is there already is read out.
  requestAnimationFrame(() => {
    bar.querySelector('p').textContent = 'A new version of the book is there. Loading it opens its pages anew; '
      + 'what you typed into cells is lost.';
  });
  bar.querySelector('[data-do="load"]').addEventListener('click', () => registration.waiting?.postMessage('take over'));
  bar.querySelector('[data-do="later"]').addEventListener('click', () => {
    sessionStorage.setItem(LATER, '1');
    bar.remove();
  });
}

function watch(registration) {
  const show = () => showNews(registration);
  registration.addEventListener('updatefound', () => registration.installing.addEventListener('statechange', show));
  show();
}

// ---------------------------------------------------------------- start

async function register() {
  try {
    const registration = await workers.register(`${ROOT}service-worker.js`, { scope: ROOT, updateViaCache: 'none' });
    follow(registration);
    watch(registration);
  } catch {
    say('unable');      // the browser keeps nothing (private windows, settings), or the network has just gone
  }
}

async function start() {
  const known = await workers.getRegistration(ROOT);
  if (!known && navigator.connection?.saveData) offerToFetch();
  else await register();
}

/** Not part of the page: from a file, a browser would complain that it may not read it. */
function addManifest() {
  const link = document.createElement('link');
  link.rel = 'manifest';
  link.href = `${ROOT}manifest.webmanifest`;
  document.head.append(link);
}

const why = obstacle();
// Excerpts of the pages found would have to be fetched, which browsers forbid from a file.
if (why === 'file') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
if (why) {
  addEventListener('DOMContentLoaded', () => {
    say(why);
    if (why === 'file') document.querySelector('[data-archive]')?.remove();     // it is not in itself
  });
  return;
}
addManifest();
// All pages go over to the new version together, so that none mixes its files with the old one's.
if (workers.controller) workers.addEventListener('controllerchange', () => location.reload());
// The page goes first; the book is fetched when the browser has nothing better to do.
addEventListener('load', () => (window.requestIdleCallback ?? setTimeout)(start));
})();
