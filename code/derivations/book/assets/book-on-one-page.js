/* For `make pdf`: the pages of the site put together on one page, or one page made ready to be linked to. */
globalThis.bookOnOnePage = (() => {
'use strict';

const ROOT = location.origin + '/';
const REFERENCES = ['for', 'aria-labelledby', 'aria-describedby', 'aria-controls'];

const nameOf = (address) => address.split('#')[0].slice(ROOT.length);
const prefixOf = (name) => name.replace(/\.html$/, '').replaceAll('/', '-');

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const textOf = (selector) => document.querySelector(selector)?.textContent.trim() ?? '';

/** Parts and pages in the order of the side bar; the pages before the first part make a part without a title. */
function contents() {
  const parts = [{ title: '', pages: [] }];
  const seen = new Set();
  for (const node of document.querySelectorAll('nav.bd-docs-nav :is(p.caption, a.reference.internal)')) {
    const title = node.textContent.trim();
    if (node.matches('p.caption')) parts.push({ title, pages: [] });
    else if (!seen.has(nameOf(node.href))) parts.at(-1).pages.push({ name: nameOf(node.href), title });
    if (node.href) seen.add(nameOf(node.href));
  }
  return parts;
}

function about() {
  return {
    title: document.title.split(' \u2014 ').at(-1),
    author: textOf('.component-author').replace(/^By\s+/, ''),
    base: document.querySelector('link[rel="canonical"]')?.href.replace(/chapters\/.*/, '') ?? '',
  };
}

/** Chromium keeps a place in the PDF only where a link on the same page leads to: give each place one. */
function linkPlaces() {
  const links = [...document.querySelectorAll('.bd-article [id]:not(svg *)')].map(({ id }) => make('a', { href: `#${id}` }));
  document.querySelector('.bd-article').append(make('nav', { hidden: true }, ...links));
}

// ---------------------------------------------------------------- the whole book

async function fetchPage(name) {
  const answer = await fetch(ROOT + name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  page.head.prepend(make('base', { href: ROOT + name }));
  return page;
}

/** Styles of a page that this one does not have yet. */
async function addStyles(page) {
  const have = new Set([...document.querySelectorAll('link[rel="stylesheet"]')].map(({ href }) => href));
  const missing = [...page.querySelectorAll('link[rel="stylesheet"]')].filter(({ href }) => !have.has(href));
  await Promise.all(missing.map(({ href }) => new Promise((resolve, reject) => {
    document.head.append(make('link', { rel: 'stylesheet', href, onload: resolve, onerror: reject }));
  })));
}

/** Where a link leads on the one page; elsewhere if its goal is no page of the book. */
function relink(link, names) {
  const address = link.href;
  if (!address.startsWith(ROOT) || !names.has(nameOf(address))) return address;
  const [, anchor] = address.split('#');
  return `#${prefixOf(nameOf(address))}${anchor ? `--${anchor}` : ''}`;
}

/** An article whose names are unlike those of all others. */
function take(page, name, names) {
  const article = page.querySelector('article.bd-article');
  const prefix = prefixOf(name);
  const own = (id) => `${prefix}--${id}`;
  article.querySelectorAll('script, template, .headerlink, button, form').forEach((node) => node.remove());
  // Their addresses follow from the page's, so they are read before the article leaves it.
  for (const link of article.querySelectorAll('a[href]')) link.setAttribute('href', relink(link, names));
  for (const image of article.querySelectorAll('img')) image.setAttribute('src', image.src);
  for (const element of article.querySelectorAll('*')) {
    if (element.id) element.id = own(element.id);
    for (const attribute of REFERENCES) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.split(/\s+/).map(own).join(' '));
    }
    if (!(element instanceof SVGElement)) continue;
    for (const { name: attribute, value } of [...element.attributes]) {
      if (/href$/.test(attribute) && value.startsWith('#')) element.setAttribute(attribute, `#${own(value.slice(1))}`);
      else if (value.includes('url(#')) element.setAttribute(attribute, value.replaceAll('url(#', `url(#${prefix}--`));
    }
  }
  for (const heading of article.querySelectorAll('h1, h2, h3, h4, h5')) {
    heading.setAttribute('aria-level', +heading.tagName[1] + 1);    // below the heading of its part
  }
  const section = make('section', { id: prefix, className: 'book-chapter' }, ...article.childNodes);
  section.dataset.name = name;
  return section;
}

function cover({ title, author }, version) {
  return make('section', { className: 'book-cover' },
    make('h1', { textContent: title }), make('p', { textContent: author }), make('p', { textContent: `Version ${version}` }),
    make('p', { textContent: textOf('.last-updated') }));
}

function table(parts) {
  const lists = parts.flatMap(({ title, pages }) => [
    ...(title ? [make('p', { className: 'book-contents-part', textContent: title })] : []),
    make('ul', {}, ...pages.map((page) => make('li', {}, make('a', { href: `#${prefixOf(page.name)}` },
      make('span', { textContent: page.title }), make('span', { className: 'book-page-number', textContent: '\u2007' }))))),
  ]);
  return make('section', { className: 'book-contents' }, make('h1', { textContent: 'Contents' }), ...lists);
}

/** Each chapter's pages have a name, by which its title stands at their head. */
function heads(parts, title) {
  const quote = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const font = 'font: 9pt sans-serif; color: #555;';
  return parts.flatMap(({ pages }) => pages).map((page) => `@page ${prefixOf(page.name)} {
    @top-left { content: ${quote(page.title)}; ${font} }
    @top-right { content: ${quote(title)}; ${font} }
  }`).join('\n');
}

async function assemble(version) {
  const parts = contents();
  const book = about();
  const names = new Set(parts.flatMap(({ pages }) => pages.map(({ name }) => name)));
  const sections = [cover(book, version), table(parts)];
  for (const { title, pages } of parts) {
    if (title) sections.push(make('section', { className: 'book-part' }, make('h1', { textContent: title })));
    for (const { name } of pages) {
      const page = await fetchPage(name);
      await addStyles(page);
      const section = take(page, name, names);
      section.style.page = prefixOf(name);
      sections.push(section);
    }
  }
  document.head.append(make('style', { textContent: heads(parts, book.title) }));
  document.title = book.title;
  const article = document.querySelector('article.bd-article');
  article.replaceChildren(...sections);
  // Whatever stands before the cover, even unseen, would get a sheet of its own.
  for (let node = article; node !== document.body; node = node.parentElement) node.parentElement.replaceChildren(node);
  // The last rule counts for a sheet's margins: these come after the one that print.js adds.
  addEventListener('beforeprint', () => {
    document.head.append(...[...document.querySelectorAll('style')].filter((style) => /@page (book|chapters)-/.test(style.textContent)));
  });
  await window.MathJax?.typesetPromise?.();
  await document.fonts.ready;
}

/** First sheet of each chapter, after cover, contents (two sheets) and the sheets of parts, if chapters have these numbers. */
function expected(sheets) {
  const starts = {};
  let next = 4;
  for (const section of document.querySelectorAll('.book-part, .book-chapter')) {
    if (section.matches('.book-chapter')) starts[section.id] = next;
    next += section.matches('.book-part') ? 1 : sheets[section.dataset.name] ?? 1;
  }
  return starts;
}

/** Fill in the table of contents. */
function number(pages) {
  for (const link of document.querySelectorAll('.book-contents a')) {
    link.querySelector('.book-page-number').textContent = pages[link.hash.slice(1)];
  }
}

return { about, assemble, contents, expected, linkPlaces, number };
})();
