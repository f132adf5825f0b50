"""What a test wants to know about a page, asked inside the page; plain functions of a Playwright page."""
import contextlib
import re

from playwright.sync_api import TimeoutError

# Sum of the layout's shifts since the page began to load.
COUNT_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        const nodes = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
        window.shifts.push([entry.value, nodes.join(' ')]);
    }
}).observe({ type: 'layout-shift', buffered: true });
"""

SETTLED = """async () => {
    if (window.MathJax?.startup) await MathJax.startup.promise;
    await document.fonts.ready;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""

RAW_MATHS = """() => {
    const copy = document.querySelector('main').cloneNode(true);
    copy.querySelectorAll('pre, code, script, mjx-container, math, svg').forEach(node => node.remove());
    return copy.textContent;
}"""

# Findings that need no screen of a certain size, as [kind, text].
OUTLINE = """() => {
    const found = [];
    const say = (kind, text) => found.push([kind, text]);
    if (!document.documentElement.lang) say('language', 'the page has no language');

    const headings = [...document.querySelectorAll('main :is(h1, h2, h3, h4, h5, h6)')]
        .filter((heading) => heading.checkVisibility());
    const levels = headings.map((heading) => +heading.tagName[1]);
    if (levels.filter((level) => level === 1).length !== 1) say('headings', `levels ${levels}`);
    levels.forEach((level, place) => {
        if (level > (place ? levels[place - 1] : 0) + 1) say('headings', headings[place].textContent.slice(0, 60));
    });

    for (const table of document.querySelectorAll('main table')) {
        if (table.matches('[role=presentation], .indextable')) continue;
        const headers = [...table.querySelectorAll('th')];
        if (!headers.some((header) => header.textContent.trim())) say('tables', table.textContent.trim().slice(0, 60));
    }

    for (const image of document.images) {
        const { alt, src } = image;
        const caption = image.closest('figure')?.querySelector('figcaption')?.textContent.trim();
        if (!alt || /\\.(png|svg|jpe?g|gif|webp)$/i.test(alt) || alt === caption) say('alt text', `${src}: "${alt}"`);
        if (!image.getAttribute('width') || !image.getAttribute('height')) say('size of images', src);
    }
    for (const picture of document.querySelectorAll('main svg')) {
        if (picture.closest('[aria-hidden=true], mjx-container, button, a')) continue;
        const holder = picture.closest('[role=img]');
        const name = holder?.getAttribute('aria-label')
            || document.getElementById(holder?.getAttribute('aria-labelledby'))?.textContent
            || holder?.querySelector('title')?.textContent;
        const caption = picture.closest('figure')?.querySelector('figcaption')?.textContent.trim();
        if (!name || name.trim().length < 30 || name.trim() === caption) say('alt text', `picture: "${name}"`);
    }
    return found;
}"""

LINKS = """() => ({
    links: [...document.querySelectorAll('a[href], link[rel~=icon]')].map(({ href }) => href),
    names: [...document.querySelectorAll('[id], a[name]')].flatMap(({ id, name }) => [id, name]),
})"""

# What still moves for readers who asked for stillness.
MOVING = """() => {
    const moving = document.getAnimations().map((animation) => `animation ${animation.animationName ?? ''}`);
    for (const element of document.querySelectorAll('body, body *')) {
        for (const part of [null, '::before', '::after']) {
            const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element, part);
            if (/[1-9]/.test(transitionDuration) || animationName !== 'none' || scrollBehavior !== 'auto') {
                moving.push(`${element.tagName}.${element.className}${part ?? ''}`);
            }
        }
    }
    return [...new Set(moving)];
}"""

# How a control looks: what may tell that it has the focus.
LOOK = """(element) => {
    const boxes = ['label', '.bd-search', '.prism-code-editor'].map((box) => element.closest(box));
    const parts = [element, ...boxes].filter(Boolean);
    return parts.map((part) => ['', '::before', '::after'].map((pseudo) => {
        const style = getComputedStyle(part, pseudo || null);
        const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
            && `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
        return [outline, style.boxShadow];
    })).flat();
}"""


# Boxes that scroll sideways and that the keyboard cannot reach yet: the theme looks for them a while after a resize.
UNREACHED = """() => ![...document.querySelectorAll('main :is(pre, .pst-scrollable-table-container, .output, .equation)')].some(
    (box) => box.scrollWidth > box.clientWidth && box.checkVisibility() && box.tabIndex < 0)"""


def accessibility(page, axe, colours=True):
    """All findings of axe; without colours in a third of the time.

    It looks neither at the thousands of parts of formulas and pictures, whose colours are those of the text and of the
    figures, nor does it read MathML: it calls a table's header with nothing but a formula empty.
    """
    with contextlib.suppress(TimeoutError):     # then axe says where
        page.wait_for_function(UNREACHED, timeout=5000)
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    for violation in axe.run(page, context={"exclude": [["math"], ["svg"]]}, options=options).response["violations"]:
        nodes = [node for node in violation["nodes"] if not (
            violation["id"] == "empty-table-header" and page.locator(f"{node['target'][0]} >> math").count())]
        if nodes:
            yield f"{violation['id']} ({violation['impact']}) at {[node['target'] for node in nodes[:3]]}"


def raw_maths(page):
    """TeX that a reader would see."""
    yield from re.findall(r".{0,20}(?:\$|\\\(|\\\[|\\begin).{0,20}", page.evaluate(RAW_MATHS))
    for error in page.locator("mjx-merror, .temml-error, merror").all():
        yield error.inner_text()
