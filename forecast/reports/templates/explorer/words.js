/* Words and numbers in the language of the page, as the report writes them. */

const MINUS = '\u2212';
const NARROW = '\u202f';
const WHOLE = new Intl.NumberFormat(DATA.language, { maximumFractionDigits: 0, useGrouping: true });
const DECIMAL = new Intl.NumberFormat(DATA.language, { maximumFractionDigits: 2 });

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

/** Whole persons with a true minus, and a plus where signs are shown. */
function persons(value, signed = false) {
  const whole = Math.round(value);
  const mark = whole < 0 ? MINUS : signed && whole > 0 ? '+' : '';
  return mark + WHOLE.format(Math.abs(whole));
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

/** What is shown, in words: one series, or several with what stands between them. */
function subject(terms) {
  return terms.map((term, i) => {
    const name = nameOf(DATA.series[term.index]);
    return i === 0 ? name : `${term.sign > 0 ? WORDS.plus : WORDS.minus} ${name}`;
  }).join('; ');
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

/** The claim whose chance is asked for, with {chance} left open. */
function claim(terms, side, limit, year) {
  const forms = WORDS.claims[kindOf(terms)];
  const nought = limit === 0 && forms.length > 2 ? 2 : 0;
  return fill(forms[nought + (side === 'below' ? 0 : 1)], { limit: persons(limit), year });
}
