/* The view: what is chosen, how an address says it, and the numbers that it shows. */

const SIDES = ['below', 'above'];
const STARTS = [...document.getElementById('since').options].map((one) => Number(one.value));
const MOST_TERMS = 8;

/** A new view on one series, or on several. */
function newView(terms) {
  const view = { terms, year: null, at: null, side: 'below', world: 0, since: usualStart(), past: false,
    editions: false };
  return settle(view);
}

/** Fewer years where there is little room; of months and quarters as many as can be told apart. */
function usualStart() {
  const narrow = window.innerWidth < 560;
  if (PER_YEAR === 1) return narrow ? 2010 : 2000;
  const last = Math.max(...DATA.series.flatMap((series) => series.ahead.slice(-1)));
  return STARTS.find((year) => last - year * PER_YEAR <= (narrow ? 120 : 240)) ?? STARTS.at(-1);
}

/** The series that a reader meets first: the first with a forecast. */
function firstSeries() {
  const found = DATA.series.findIndex((series) => series.ahead.length > 0);
  return Math.max(found, 0);
}

/** Years that can be asked for: those for which any of the series is forecast. */
function yearsOf(terms) {
  const years = terms.flatMap((term) => DATA.series[term.index].ahead);
  return [...new Set(years)].sort((a, b) => a - b);
}

/** Whether figures of a term may be added to others: rates may only be set against each other. */
function addsUp(term) {
  return !(DATA.apart ?? []).includes(DATA.series[term.index].measure);
}

/** Give year and threshold a value that fits what is chosen. */
function settle(view) {
  for (const term of view.terms.slice(1)) if (!addsUp(term)) term.sign = -1;
  const years = yearsOf(view.terms);
  if (!years.includes(view.year)) {
    const asked = DATA.series[view.terms[0].index].asked;
    view.year = years.includes(asked) ? asked : years[years.length - 1] ?? null;
  }
  if (view.at === null) view.at = usualThreshold(view.terms, view.year);
  return view;
}

/** Nought for net flows, else the last figure, of months that of the same month, rounded. */
function usualThreshold(terms, year) {
  if (signed(terms)) return 0;
  const past = historyOf(terms, 0);
  const last = past.findLast((row) => (year - row.year) % PER_YEAR === 0) ?? past.at(-1);
  if (last) return rounded(last.value);
  const found = year === null ? null : distribution(terms, 0, year);
  return found && found.sorted ? rounded(quantile(found, 0.5)) : 0;
}

function keyOf(series) {
  return [series.source, series.location, series.measure].join('|');
}

/** The view as it stands in the address. */
function toAddress(view) {
  const said = new URLSearchParams();
  for (const { index, sign } of view.terms) {
    said.append(sign > 0 ? 'plus' : 'minus', keyOf(DATA.series[index]));
  }
  if (view.year !== null) said.set('year', when(view.year));
  said.set(view.side, inUnits(view.at, grainOf(view.terms)));
  said.set('since', view.since);
  if (view.world > 0) said.set('if', DATA.worlds[view.world].name);
  if (view.past) said.set('past', 1);
  if (view.editions) said.set('editions', 1);
  return `#${said}`;
}

/** The view that an address names; `doubt` if it names something that is not here. */
function fromAddress(address) {
  const said = new URLSearchParams(address.replace(/^#/, ''));
  const named = [...said].filter(([name]) => name === 'plus' || name === 'minus');
  const terms = named.map(([name, key]) => ({
    index: DATA.series.findIndex((series) => keyOf(series) === key),
    sign: name === 'plus' ? 1 : -1,
  }));
  const there = terms.filter((term) => term.index >= 0).slice(0, MOST_TERMS);
  if (there.length > 0) there[0].sign = 1;
  const view = newView(there.length > 0 ? there : [{ index: firstSeries(), sign: 1 }]);
  const wrong = readOptions(view, said);
  return { view, doubt: wrong || there.length < terms.length };
}

/** Take year, threshold and what else is shown from an address; whether anything was unknown. */
function readOptions(view, said) {
  let wrong = false;
  const number = (name) => (said.get(name) ? Number(said.get(name)) : NaN);
  const year = yearsOf(view.terms).find((one) => when(one) === said.get('year'));
  if (year !== undefined) view.year = year;
  else wrong = said.has('year');
  for (const side of SIDES.filter((name) => said.has(name))) {
    if (Number.isFinite(number(side))) {
      [view.side, view.at] = [side, Math.round(number(side) / grainOf(view.terms))];
    } else wrong = true;
  }
  if (STARTS.includes(number('since'))) view.since = number('since');
  if (said.has('if')) {
    view.world = Math.max(DATA.worlds.findIndex((world) => world.name === said.get('if')), 0);
    wrong = wrong || view.world === 0;
  }
  view.past = said.has('past');
  view.editions = said.has('editions');
  return wrong;
}

/** Observed years of a series or sum, with the flags of any of them. */
function historyOf(terms, since) {
  const first = DATA.series[terms[0].index];
  const years = first.years.filter((year) => year >= since);
  return years.map((year) => ({
    year,
    value: terms.reduce((sum, term) => {
      const figure = known(DATA.series[term.index], year);
      return sum === null || figure === null ? null : sum + weightOf(term, terms) * figure;
    }, 0),
    flags: [...new Set(terms.flatMap((term) => DATA.series[term.index].flags[year] ?? []))],
  })).filter((row) => row.value !== null);
}

/** Years left empty, and why. */
function emptyYears(terms, since) {
  const rows = terms.flatMap((term) => {
    const { years, values, flags } = DATA.series[term.index];
    return years.filter((year, i) => year >= since && values[i] === null)
      .map((year) => ({ year, flags: flags[year] ?? [] }));
  });
  return [...new Map(rows.map((row) => [row.year, row])).values()];
}

/** Years that are forecast in a world, with median and intervals. */
function fanOf(terms, world) {
  const rows = yearsOf(terms).map((year) => ({ year, found: distribution(terms, world, year) }));
  return rows.filter(({ found }) => found && found.sorted).map(({ year, found }) => ({
    year, found, median: quantile(found, 0.5), bands: DATA.levels.map((level) => ends(found, level)),
  }));
}

/** Past forecasts of a single series, by origin. */
function pastOf(terms) {
  const rows = terms.length === 1 ? DATA.past[terms[0].index] ?? [] : [];
  const origins = new Map();
  for (const [origin, year, median, low, high] of rows) {
    if (!origins.has(origin)) origins.set(origin, []);
    origins.get(origin).push({ year, median, low, high });
  }
  return origins;
}

/** What earlier editions said of a single series. */
function editionsOf(terms) {
  if (terms.length > 1) return [];
  return DATA.editions.flatMap(({ day, rows }) => (rows[terms[0].index] ?? []).map(
    ([year, median, low, high]) => ({ day, year, median, low, high })));
}

/** Every number that a view shows but those of its threshold. */
function pictureOf(view) {
  const { terms, world } = view;
  const since = view.since * PER_YEAR;
  const fan = fanOf(terms, 0);
  const all = historyOf(terms, since);
  // A year that follows from figures known already is no forecast, and stands with the past.
  const history = all.concat(yearsOf(terms).filter((year) => !all.some((row) => row.year === year))
    .map((year) => ({ year, value: distribution(terms, 0, year)?.figure ?? null, flags: [] }))
    .filter((row) => row.value !== null)).sort((a, b) => a.year - b.year);
  return {
    history, fan, empty: emptyYears(terms, since), form: formOf(terms),
    unit: [...new Set(terms.map(({ index }) => DATA.series[index].unit ?? WORDS.unit))].join('; '),
    beside: world > 0 ? fanOf(terms, world) : [],
    past: view.past ? pastOf(terms) : new Map(),
    editions: view.editions ? editionsOf(terms) : [],
    targets: terms.length === 1 ? DATA.series[terms[0].index].targets : [],
  };
}
