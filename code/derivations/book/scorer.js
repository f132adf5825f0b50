/* Weights of the search's results: Sphinx's own, and first of all what is named exactly as the query. */
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  score: ([page, title, anchor, description, score]) => {
    const query = new URLSearchParams(location.search).get('q').trim().toLowerCase();
    const name = title.toLowerCase();
    return name === query || name.endsWith(`.${query.replace(/\(\)$/, '')}`) ? score + 200 : score;
  },
};
