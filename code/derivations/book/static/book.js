/* An equation that is too wide scrolls inside its own box: let the keyboard reach those boxes, and no others. */
(() => {
  'use strict';
  const update = () => {
    for (const box of document.querySelectorAll('mjx-container[display="true"]')) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
  };
  addEventListener('load', async () => {
    await window.MathJax?.startup?.promise;
    update();
    addEventListener('resize', update);
  });
})();
