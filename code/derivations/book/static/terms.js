/* A link to the glossary shows the definition beside it: under the mouse or with the keyboard's focus. Escape closes it.
   A tap follows the link. */
(() => {
  'use strict';
  const LINK = 'a[aria-describedby^="note-term-"]';
  const OPEN_AFTER = 150, CLOSE_AFTER = 250;   // ms: passing over a link opens nothing; the mouse can reach the note
  let note = null, timer = 0;

  const close = () => {
    clearTimeout(timer);
    if (note) note.hidden = true;
    note = null;
  };

  /* Below the link, or above it where the window ends; never wider than the text. */
  const place = link => {
    const line = link.getClientRects()[0], frame = note.offsetParent.getBoundingClientRect();
    const text = note.parentElement.getBoundingClientRect(), style = getComputedStyle(note.parentElement);
    const first = text.left + parseFloat(style.paddingLeft), last = text.right - parseFloat(style.paddingRight);
    note.style.maxWidth = `min(26rem, ${last - first}px)`;
    const left = Math.min(line.left, last - note.offsetWidth);
    const below = line.bottom + 4, above = line.top - note.offsetHeight - 4;
    const top = below + note.offsetHeight > innerHeight && above > 0 ? above : below;
    note.style.left = `${Math.max(left, first) - frame.left}px`;
    note.style.top = `${top - frame.top}px`;
  };

  const open = link => {
    close();
    note = document.getElementById(link.getAttribute('aria-describedby'));
    note.hidden = false;
    place(link);
  };

  const later = (action, delay) => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };

  document.addEventListener('pointerover', event => {
    if (event.pointerType === 'touch') return;
    const link = event.target.closest(LINK);
    if (note && (note.contains(event.target) || link?.getAttribute('aria-describedby') === note.id)) clearTimeout(timer);
    else if (link) later(() => open(link), OPEN_AFTER);
    else later(close, CLOSE_AFTER);
  });
  document.addEventListener('focusin', event => {
    const link = event.target.closest(LINK);
    if (link?.matches(':focus-visible')) open(link);
    else if (!note?.contains(event.target)) close();
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') close();
  });
})();
