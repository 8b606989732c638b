/* The draws: decoding, distributions of one series or a sum of several, quantiles, chances. */

const DATA = JSON.parse(document.getElementById('data').textContent);
const WORDS = DATA.words;
const NUMBERS = decode(DATA.numbers);
const cache = new Map();

/** Base64 of little-endian 32-bit whole numbers: in the grain of their series. */
function decode(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Int32Array(bytes.buffer);
}

/** The figure of a year that is known already, else null. */
function known(series, year) {
  const at = series.years.indexOf(year);
  if (at >= 0 && series.values[at] !== null) return series.values[at];
  return series.follows[year] ?? null;
}

/** Where the numbers of a series and year start, and in which world they are; null without any. */
function place(world, index, year) {
  const at = DATA.series[index].ahead.indexOf(year);
  // A series that a scenario does not move is, draw by draw, that of the forecast.
  const home = index in DATA.worlds[world].blocks ? world : 0;
  const start = DATA.worlds[home].blocks[index];
  if (at < 0 || start === undefined) return null;
  return start + at * (DATA.quantiles + DATA.worlds[home].kept);
}

/** What a term's numbers count for in a sum: its sign, and its grain in those of the sum. */
function weightOf(term, terms) {
  return term.sign * ((DATA.series[term.index].grain ?? 1) / grainOf(terms));
}

/** Add one term to every joint draw; false if it has no value in that year. */
function addTerm(total, term, weight, world, year) {
  const figure = known(DATA.series[term.index], year);
  const start = figure === null ? place(world, term.index, year) : null;
  if (figure === null && start === null) return false;
  for (let d = 0; d < total.length; d += 1) {
    total[d] += weight * (figure ?? NUMBERS[start + DATA.quantiles + d]);
  }
  return true;
}

/**
 * What is known of a sum of series in a year: {figure}, {sorted, smooth, draws}, or null.
 * One series alone is given by quantiles of all its draws; a sum needs the joint draws.
 */
function distribution(terms, world, year) {
  const key = JSON.stringify([terms, world, year]);
  if (!cache.has(key)) cache.set(key, findDistribution(terms, world, year));
  return cache.get(key);
}

function findDistribution(terms, world, year) {
  const figures = terms.map((term) => known(DATA.series[term.index], year));
  if (figures.every((figure) => figure !== null)) {
    return { figure: figures.reduce((sum, figure, i) => sum + weightOf(terms[i], terms) * figure, 0) };
  }
  const { all, kept } = DATA.worlds[world];
  if (terms.length === 1) {
    const start = place(world, terms[0].index, year);
    if (start === null) return null;
    return { sorted: NUMBERS.subarray(start, start + DATA.quantiles), smooth: true, draws: all };
  }
  const total = new Float64Array(kept);
  if (!terms.every((term) => addTerm(total, term, weightOf(term, terms), world, year))) return null;
  return { sorted: total.sort(), smooth: false, draws: kept };
}

/** Quantile of sorted values, linear between them (Hyndman and Fan 1996, type 7). */
function quantile({ sorted }, level) {
  const at = level * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** How many sorted values lie below a limit, or below or on it. */
function countBelow(sorted, limit, inclusive) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit || (inclusive && sorted[middle] === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Share of futures below a limit, or below or on it. */
function shareBelow({ sorted, smooth }, limit, inclusive) {
  const count = countBelow(sorted, limit, inclusive);
  if (!smooth || count === 0 || count === sorted.length) return count / sorted.length;
  const [before, after] = [sorted[count - 1], sorted[count]];
  return (count - 1 + (limit - before) / (after - before)) / (sorted.length - 1);
}

/** The chance of lying below (or above) a limit; on it counts for neither. */
function chance(found, side, limit) {
  return side === 'below' ? shareBelow(found, limit, false) : 1 - shareBelow(found, limit, true);
}

/** Standard error of a chance, in points of per cent. */
function points(share, draws) {
  return Math.max(Math.round(1000 * Math.sqrt((share * (1 - share)) / draws)) / 10, 0.1);
}

/** The two ends of a central interval. */
function ends(found, level) {
  return [quantile(found, (1 - level) / 2), quantile(found, (1 + level) / 2)];
}
