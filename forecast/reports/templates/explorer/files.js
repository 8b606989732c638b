/* What is taken away: the table as CSV, the chart as PNG, the address. */

/** The table of a view, oldest year first: columns, each with its group, and rows of values. */
function tableOf(view, picture) {
  const limit = inText(view.at, { grain: grainOf(view.terms) });
  const share = fill(view.side === 'below' ? WORDS.chance_below : WORDS.chance_above, { limit });
  const bounds = (levels) => levels.flatMap((level) => [WORDS.from, WORDS.to].map(
    (name) => ({ group: intervalName(level), name, form: 'model' })));
  const world = (levels) => [{ group: '', name: WORDS.middle, form: 'model' }, ...bounds(levels),
    { group: '', name: share, form: 'share' }];
  const other = picture.beside.length > 0 ? world([DATA.levels[1]]).map((column) => (
    { ...column, world: view.world })) : [];
  const columns = [{ group: '', name: WORDS.year, form: 'year' },
    { group: '', name: opening(WORDS.figure), form: 'figure' }, ...world(DATA.levels), ...other,
    { group: '', name: WORDS.remarks, form: 'text' }];
  const rows = yearsShown(picture).map((year) => tableRow(view, picture, year, other.length));
  return { columns, rows };
}

function intervalName(level) {
  return fill(WORDS.interval, { level: Math.round(100 * level) });
}

function worldName(world) {
  const { kind, title } = DATA.worlds[world];
  return fill(kind === 'condition' ? WORDS.given : WORDS.if, { title });
}

/** The same in a word or two, for heads of columns. */
function worldKind(world) {
  return DATA.worlds[world].kind === 'condition' ? WORDS.given_short : WORDS.if_short;
}

function yearsShown(picture) {
  const rows = [...picture.history, ...picture.fan, ...picture.empty];
  return [...new Set(rows.map((row) => row.year))].sort((a, b) => a - b);
}

function tableRow(view, picture, year, others) {
  const at = (rows) => rows.find((row) => row.year === year);
  const [seen, ahead, other, gap] = [picture.history, picture.fan, picture.beside, picture.empty].map(at);
  const flags = (seen?.flags ?? gap?.flags ?? []).map((flag) => WORDS.flags[flag]).join('; ');
  const risk = (row) => chance(row.found, view.side, view.at);
  const main = ahead ? [ahead.median, ...ahead.bands.flat(), risk(ahead)] : Array(8).fill(null);
  const rest = other ? [other.median, ...other.bands[1], risk(other)] : Array(4).fill(null);
  return [when(year), seen ? seen.value : null, ...main, ...(others ? rest : []), flags];
}

/** A cell of CSV that no spreadsheet takes for a formula. */
function cell(value) {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The table as CSV: persons are whole, rates as fine as they are held, chances have three decimals. */
function csvOf(view, picture) {
  const { columns, rows } = tableOf(view, picture);
  const head = columns.map(({ world, group, name }) => (
    [world ? worldName(world) : '', group, name].filter(Boolean).join(': ')));
  const exact = (value, form) => (form === 'share' ? Math.round(1000 * value) / 1000
    : inUnits(value, picture.form.grain));
  const plain = rows.map((row) => row.map((value, i) => (
    typeof value === 'number' ? exact(value, columns[i].form) : value)));
  const what = subject(view.terms);
  const lines = [[WORDS.what, ...head], ...plain.map((row) => [what, ...row])];
  return `\ufeff${lines.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** A name for a file: what is shown, in plain letters. */
function fileName(view, ending) {
  const parts = view.terms.map(({ index }) => {
    const { location, measure, source } = DATA.series[index];
    return `${location}-${measure}-${source}`;
  });
  const plain = parts.join('_').replace(/[^A-Za-z0-9_+-]+/g, '-').slice(0, 80);
  return `${plain}-${when(view.year)}.${ending}`;
}

/** Hand a file to the reader. */
function save(content, name) {
  const address = URL.createObjectURL(content);
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return name;
}

const INKED = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity',
  'font-family', 'font-size', 'font-weight', 'stroke-linejoin'];

/** Copy what the style sheet says into the elements, which leave the page without it. */
function inked(original) {
  const copy = original.cloneNode(true);
  const pairs = [[original, copy]];
  while (pairs.length > 0) {
    const [from, to] = pairs.pop();
    const style = getComputedStyle(from);
    for (const name of INKED) to.setAttribute(name, style.getPropertyValue(name));
    pairs.push(...[...from.children].map((child, i) => [child, to.children[i]]));
  }
  for (const left of copy.querySelectorAll('.cursor, .grip, .hit')) left.remove();
  return copy;
}

/** Words in lines that fit a width. */
function wrapped(text, size, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The chart as a picture of its own: what it shows, the answers, the chart. */
function standing(view, answer, other) {
  const { width, height } = chart.box;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const family = getComputedStyle(document.body).fontFamily;
  const texts = [[subject(view.terms), 14, colour('--muted')], [answer, 20, colour('--ink')]];
  // Without its words a picture of a scenario would pass for a forecast.
  if (other) texts.push([`${worldName(view.world)}: ${other}`, 14, colour('--what-if')]);
  const whole = draw('svg', { xmlns: SVG });
  let y = 8;
  for (const [text, size, fillColour] of texts) {
    for (const part of wrapped(text, size, width - 16)) {
      y += size * 1.35;
      whole.append(draw('text', { x: 8, y, fill: fillColour, 'font-size': size, 'font-family': family }, part));
    }
  }
  const body = inked(chart.svg);
  body.setAttribute('y', y + 14);
  const full = Math.ceil(y + 14 + height + 8);
  whole.prepend(draw('rect', { width, height: full, fill: colour('--paper') }));
  whole.append(body);
  whole.setAttribute('width', width);
  whole.setAttribute('height', full);
  return { whole, width, full };
}

/** The picture as PNG, twice as fine as the screen. */
async function pngOf(view, answer, other) {
  const { whole, width, full } = standing(view, answer, other);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(whole))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [2 * width, 2 * full];
  const ink = canvas.getContext('2d');
  ink.scale(2, 2);
  ink.drawImage(image, 0, 0);
  return new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
}
