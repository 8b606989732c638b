/* Words and numbers in the language of the page, as the report writes them. */

const MINUS = '\u2212';
const NARROW = '\u202f';
const WHOLE = new Intl.NumberFormat(DATA.language, { maximumFractionDigits: 0, useGrouping: true });
const TENTHS = new Intl.NumberFormat(DATA.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Periods in a year, and the mark before its parts, by frequency; years have no parts. */
const FORMS = { 'half-year': [2, '-H'], quarter: [4, '-Q'], month: [12, '-'] };
const [PER_YEAR, MARK] = FORMS[DATA.frequency] ?? [1, ''];

/** A period as tables and addresses have it: 2027, 2026-H1, 2026-Q4, 2027-06. */
function when(period) {
  if (period === null || PER_YEAR === 1) return String(period ?? '');
  const part = String((period % PER_YEAR) + 1).padStart(PER_YEAR > 9 ? 2 : 1, '0');
  return `${Math.floor(period / PER_YEAR)}${MARK}${part}`;
}

/** A message with its places filled in. */
function fill(message, values) {
  return message.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** Round to significant digits; below 100 to whole tens, since more is noise. */
function rounded(value, digits = 2) {
  if (!value) return 0;
  const power = Math.max(10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits), 10);
  return Math.floor(Math.abs(value) / power + 0.5) * power * Math.sign(value);
}

/** Decimals of a grain: none for whole persons, four for 0.0001. */
function decimals(grain) {
  return Math.max(Math.round(-Math.log10(grain)), 0);
}

/** A number of grains in the unit of its measure: 412 grains of 0.0001 are 0.0412. */
function inUnits(value, grain) {
  return Number((Math.round(value) * grain).toFixed(decimals(grain)));
}

/** A number of grains, written with a true minus, and a plus where signs are shown. */
function inText(value, { grain, signed = false }) {
  const shown = inUnits(value, grain);
  const mark = shown < 0 ? MINUS : signed && shown > 0 ? '+' : '';
  const form = grain < 1 ? new Intl.NumberFormat(DATA.language, { maximumFractionDigits: decimals(grain) }) : WHOLE;
  return mark + form.format(Math.abs(shown));
}

/** Whole per cent; never 0 or 100, which draws cannot show. */
function percent(share) {
  if (100 * share < 1) return fill(WORDS.under, { number: `1${NARROW}%` });
  if (100 * share > 99) return fill(WORDS.over, { number: `99${NARROW}%` });
  return `${Math.round(100 * share)}${NARROW}%`;
}

function opening(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The word of ICD 203 for a probability. */
function likelihood(share) {
  return WORDS.likelihood.find(([bound]) => share <= bound)[1];
}

/** Place, measure and source of one series. */
function nameOf(series) {
  const what = { place: DATA.places[series.location], measure: DATA.measures[series.measure] };
  return `${fill(WORDS.term, what)}, ${DATA.sources[series.source]}`;
}

/** Several terms with their signs between them, said once where they are all the same. */
function joined(terms, names) {
  if (new Set(names).size === 1 && terms.every((term) => term.sign > 0)) return names[0];
  return names.map((name, i) => (i === 0 ? name : `${terms[i].sign > 0 ? '+' : MINUS} ${name}`)).join(' ');
}

/** What is shown, in words: what the terms have in common is said once. */
function subject(terms) {
  const all = terms.map((term) => DATA.series[term.index]);
  const same = (part) => all.every((series) => series[part] === all[0][part]);
  if (!same('source') || (!same('location') && !same('measure'))) {
    return joined(terms, all.map(nameOf));
  }
  const names = (part, texts) => (same(part) ? texts[all[0][part]]
    : joined(terms, all.map((series) => texts[series[part]])));
  const what = { place: names('location', DATA.places), measure: names('measure', DATA.measures) };
  return `${fill(WORDS.term, what)}, ${DATA.sources[all[0].source]}`;
}

/** Which wording a question takes: that of its measure, of a sum or of a difference. */
function kindOf(terms) {
  if (terms.some((term) => term.sign < 0)) return 'difference';
  const measures = new Set(terms.map((term) => DATA.series[term.index].measure));
  return measures.size === 1 ? [...measures][0] : 'sum';
}

/** Whether values can lie below nought, so that signs are written. */
function signed(terms) {
  return terms.some((term) => term.sign < 0 || DATA.series[term.index].signed);
}

/** What the numbers of a view count in: one person, or what keeps rates and large amounts exact. */
function grainOf(terms) {
  return Math.max(...terms.map((term) => DATA.series[term.index].grain ?? 1));
}

/** How numbers of a view are written. */
function formOf(terms) {
  return { grain: grainOf(terms), signed: signed(terms) };
}

/** The claim whose chance is asked for, with {chance} left open. */
function claim(terms, side, limit, year) {
  const forms = WORDS.claims[kindOf(terms)];
  const nought = limit === 0 && forms.length > 2 ? 2 : 0;
  return fill(forms[nought + (side === 'below' ? 0 : 1)], { limit: inText(limit, { grain: grainOf(terms) }), year: when(year) });
}
