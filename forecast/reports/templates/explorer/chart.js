/* The fan chart: drawn anew for each choice; a drag only moves the threshold. */

const SVG = 'http://www.w3.org/2000/svg';
const DOTS = 20;
const chart = { box: null, x: null, y: null, svg: null };

/** An SVG element with attributes and children. */
function draw(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** 1, 2 or 5 times a power of ten, at least as large as asked. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least);
}

/** Lowest and highest value that the chart has to hold, with some room. */
function rangeOf(picture) {
  const values = picture.history.map((row) => row.value);
  for (const { bands } of picture.fan) values.push(...bands[2]);
  for (const { bands } of picture.beside) values.push(...bands[1]);
  for (const { low, high } of picture.editions) values.push(low, high);
  for (const rows of picture.past.values()) values.push(...rows.map((row) => row.median));
  values.push(0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.05, 10);
  return [low < 0 ? low - room : 0, high > 0 ? high + room : 0];
}

/** First and last year shown. */
function spanOf(picture) {
  const rows = [...picture.history, ...picture.fan];
  const years = rows.map((row) => row.year);
  return years.length ? [Math.min(...years), Math.max(...years)] : [DATA.first, DATA.first + 1];
}

const measuring = document.createElement('canvas').getContext('2d');

function widthOf(text, size) {
  measuring.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return measuring.measureText(text).width;
}

/** Sizes and scales for the room that there is. */
function layOut(picture, width) {
  const narrow = width < 560;
  const text = narrow ? 12 : 13;
  const [low, high] = rangeOf(picture);
  const [first, last] = spanOf(picture);
  const height = narrow ? 320 : 420;
  const step = niceStep((high - low) / 7);
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at);
  const labels = ticks.map((tick) => inText(tick, picture.form));
  const left = Math.max(...labels.map((label) => widthOf(label, text)), 4.4 * text) + 18;
  const dots = picture.fan.length ? (narrow ? 58 : 96) : 0;
  const box = { width, height, text, left, right: width - dots - 8, top: 26, bottom: height - 26,
    dots, low, high, first, last, ticks, labels, narrow, step: niceStep((high - low) / 200) };
  const pad = PER_YEAR > 1 ? Math.max((last - first) / 100, 0.6) : 0.6;
  chart.x = (year) => left + ((year - first + pad) / (last - first + 2 * pad)) * (box.right - left);
  chart.y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  chart.yearAt = (px) => first - pad + ((px - left) / (box.right - left)) * (last - first + 2 * pad);
  chart.valueAt = (py) => low + ((box.bottom - py) / (box.bottom - box.top)) * (high - low);
  // Months that stand closer than their marks are wide: a line has to do.
  box.dense = PER_YEAR > 1 && chart.x(first + 1) - chart.x(first) < 7;
  chart.box = box;
}

/** Points as a path; `x` and `y` of each row. */
function path(rows) {
  return rows.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

function line(rows, kind) {
  return draw('path', { d: path(rows), class: kind });
}

function rule(x1, y1, x2, y2, kind) {
  return draw('line', { x1, y1, x2, y2, class: kind });
}

function label(x, y, text, anchor, kind = 'label') {
  const { text: size } = chart.box;
  return draw('text', { x, y, class: kind, 'text-anchor': anchor, 'font-size': size }, text);
}

function axes(picture) {
  const { box } = chart;
  const made = box.ticks.map((tick, i) => {
    const y = chart.y(tick);
    return [rule(box.left, y, box.right, y, tick === 0 ? 'zero' : 'grid'),
      label(box.left - 8, y + 4, box.labels[i], 'end')];
  }).flat();
  const unit = label(box.left - 8, 13, picture.unit, 'start');
  unit.setAttribute('x', 0);
  return [...made, unit, ...yearLabels(picture)];
}

/** As many years as there is room for; months and quarters only where there is room for them. */
function yearLabels(picture) {
  const { box } = chart;
  const parts = [1, PER_YEAR / 4, PER_YEAR / 2].filter((n) => Number.isInteger(n) && n < PER_YEAR);
  const steps = [...parts, ...[1, 2, 5, 10, 20, 50].map((n) => n * PER_YEAR)];
  const text = (period, step) => (step < PER_YEAR ? when(period) : String(period / PER_YEAR));
  const each = (box.right - box.left) / (box.last - box.first + 1);
  const step = steps.find((n) => n * each >= widthOf(text(2000 * PER_YEAR, n), box.text) + 14)
    ?? steps.at(-1);
  const made = [];
  for (let period = Math.ceil(box.first / step) * step; period <= box.last; period += step) {
    const x = chart.x(period);
    // A year is named where its first period stands.
    if (PER_YEAR > 1) made.push(rule(x, box.top, x, box.bottom + 5, 'grid'));
    made.push(label(x, box.bottom + 18, text(period, step), 'middle'));
  }
  const marked = picture.targets.map((year) => rule(
    chart.x(year), box.top, chart.x(year), box.bottom, 'target'));
  return [...made, ...marked];
}

/** The bands begin at the last figure before them. */
function anchorOf(picture, rows) {
  if (rows.length === 0) return [];
  const before = picture.history.filter((row) => row.year < rows[0].year);
  const last = before[before.length - 1];
  return last ? [[chart.x(last.year), chart.y(last.value)]] : [];
}

function band(picture, rows, level, kind) {
  const start = anchorOf(picture, rows);
  const side = (end) => rows.map((row) => [chart.x(row.year), chart.y(row.bands[level][end])]);
  return draw('path', { d: `${path([...start, ...side(1), ...side(0).reverse()])}Z`, class: kind });
}

function medians(picture, rows) {
  return [...anchorOf(picture, rows), ...rows.map((row) => [chart.x(row.year), chart.y(row.median)])];
}

function fan(picture) {
  if (picture.fan.length === 0) return [];
  return [[2, 'b95'], [1, 'b80'], [0, 'b50']].map(([level, kind]) => band(
    picture, picture.fan, level, kind)).concat(line(medians(picture, picture.fan), 'median'));
}

function beside(picture) {
  if (picture.beside.length === 0) return [];
  return [band(picture, picture.beside, 1, 'if-band'),
    line(medians(picture, picture.beside), 'if-line')];
}

/** Runs of neighbouring years, so that a gap stays a gap. */
function runs(rows, reach) {
  const found = [];
  rows.forEach((row, i) => {
    if (i === 0 || row.year - rows[i - 1].year > reach) found.push([]);
    found[found.length - 1].push(row);
  });
  return found;
}

function history(picture) {
  const at = (row) => [chart.x(row.year), chart.y(row.value)];
  const made = [];
  const { dense } = chart.box;
  const alone = new Set();
  for (const run of runs(picture.history, DATA.step)) {
    made.push(line(run.map(at), 'past-figures'));
    if (run.length === 1) alone.add(run[0]);
  }
  for (const row of picture.history) {
    const doubted = row.flags.some((flag) => flag !== 'break');
    const [cx, cy] = at(row);
    const r = doubted ? (dense ? 2.6 : 4) : 2.2;
    if (doubted || !dense || alone.has(row)) {
      made.push(draw('circle', { cx, cy, r, class: doubted ? 'doubted' : 'figure' }));
    }
    if (row.flags.includes('break')) {
      const x = chart.x(row.year - DATA.step / 2);
      made.push(rule(x, chart.box.top, x, chart.box.bottom, 'break'));
    }
  }
  return made;
}

function empty(picture) {
  const half = DATA.step / 2;
  return picture.empty.filter(({ flags }) => flags.length > 0).map(({ year }) => draw('rect', {
    x: chart.x(year - half), y: chart.box.top, class: 'empty',
    width: chart.x(year + half) - chart.x(year - half), height: chart.box.bottom - chart.box.top,
  }));
}

function pastForecasts(picture) {
  const values = new Map(picture.history.map((row) => [row.year, row.value]));
  const { box } = chart;
  return [...picture.past].map(([origin, rows]) => {
    const start = values.has(origin) ? [[chart.x(origin), chart.y(values.get(origin))]] : [];
    const shown = rows.filter((row) => row.year >= box.first && row.year <= box.last);
    return line([...start, ...shown.map((row) => [chart.x(row.year), chart.y(row.median)])], 'past');
  });
}

function editionMarks(picture) {
  const days = [...new Set(picture.editions.map((mark) => mark.day))];
  const { box } = chart;
  const shown = picture.editions.filter((mark) => mark.year >= box.first && mark.year <= box.last);
  return shown.flatMap(({ day, year, median, low, high }) => {
    const x = chart.x(year) + (box.dense ? 0 : 5 + 4 * days.indexOf(day));
    const y = chart.y(median);
    const r = box.dense ? 2.5 : 4;
    return [rule(x, chart.y(low), x, chart.y(high), 'edition-range'),
      draw('path', { d: `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`, class: 'edition' })];
  });
}

/** Places of dots of a radius, side by side where they would lie on each other. */
function dotPlaces(values, r) {
  const columns = [];
  return values.map((value) => {
    const cy = chart.y(value);
    let column = columns.findIndex((above) => above - cy >= 2 * r + 0.6);
    if (column < 0) column = columns.length;
    columns[column] = cy;
    return { value, cy, cx: chart.box.right + 14 + r + column * (2 * r + 0.6), r };
  });
}

/** Twenty futures of one year, as dots beside the fan (Kay et al. 2016); smaller where crowded. */
function dots(picture, view) {
  const row = picture.fan.find(({ year }) => year === view.year);
  if (!row) return [];
  const { box } = chart;
  const values = Array.from({ length: DOTS }, (_, i) => quantile(row.found, (i + 0.5) / DOTS));
  let places = [];
  for (let r = box.narrow ? 3.4 : 4.6; r > 1.2; r -= 0.4) {
    places = dotPlaces(values, r);
    if (places.every(({ cx }) => cx + r <= box.width)) break;
  }
  return places.map(({ value, cx, cy, r }) => {
    const dot = draw('circle', { cx, cy, r, class: 'dot' });
    dot.value = value;
    return dot;
  });
}

/** A part of the chart that keys move, as a slider. */
function slider(id, name, ...children) {
  return draw('g', { id, role: 'slider', tabindex: 0, 'aria-label': name }, ...children);
}

function thresholdMark({ grain }) {
  const { box } = chart;
  const wide = box.left - 6;
  const hit = draw('rect', { x: 0, y: -16, width: box.width, height: 32, class: 'hit' });
  const pill = draw('path', { class: 'pill',
    d: `M3 -11H${wide - 6}L${wide + 4} 0L${wide - 6} 11H3A3 3 0 0 1 0 8V-8A3 3 0 0 1 3 -11Z` });
  const grips = draw('path', { class: 'grip', d: `M${wide / 2 - 5} -15l5 -5l5 5M${wide / 2 - 5} 15l5 5l5 -5` });
  const text = label(wide - 8, 4.5, '', 'end', 'pill-text');
  const across = rule(wide, 0, box.width, 0, 'threshold');
  const mark = slider('threshold', WORDS.threshold, hit, across, pill, grips, text);
  mark.setAttribute('aria-orientation', 'vertical');
  mark.setAttribute('aria-valuemin', inUnits(box.low, grain));
  mark.setAttribute('aria-valuemax', inUnits(box.high, grain));
  return mark;
}

function yearMark() {
  const { box } = chart;
  const area = draw('rect', { x: box.left, y: box.top, width: box.right - box.left,
    height: box.bottom - box.top, class: 'hit' });
  const mark = slider('cursor', WORDS.year_slider, area, rule(0, box.top, 0, box.bottom, 'cursor'));
  mark.setAttribute('aria-valuemin', box.first);
  mark.setAttribute('aria-valuemax', box.last);
  return mark;
}

/** Draw everything that a choice decides. */
function drawChart(host, view, picture) {
  layOut(picture, Math.max(Math.floor(host.clientWidth), 240));
  const { box } = chart;
  const svg = draw('svg', { width: box.width, height: box.height, role: 'group',
    viewBox: `0 0 ${box.width} ${box.height}`, 'aria-label': fill(WORDS.chart, { what: subject(view.terms) }) });
  const dotted = draw('g', { 'aria-hidden': 'true' }, ...dots(picture, view));
  const dottedYear = label(box.right + 14, 13, when(view.year), 'start');
  svg.append(
    draw('g', { 'aria-hidden': 'true' }, ...empty(picture), ...fan(picture), ...axes(picture),
      ...beside(picture), ...pastForecasts(picture), ...history(picture), ...editionMarks(picture)),
    dotted, ...(dotted.children.length ? [dottedYear] : []), yearMark(), ...(picture.fan.length ? [thresholdMark(picture.form)] : []));
  host.replaceChildren(svg);
  chart.svg = svg;
  chart.dots = [...dotted.children];
}

/** Move the threshold; the only thing that changes while it is dragged. */
function moveThreshold(view, said) {
  const mark = document.getElementById('threshold');
  if (!mark) return;
  const { box } = chart;
  const y = Math.min(Math.max(chart.y(view.at), box.top - 2), box.bottom + 2);
  mark.setAttribute('transform', `translate(0 ${y.toFixed(1)})`);
  mark.querySelector('text').textContent = inText(view.at, formOf(view.terms));
  mark.setAttribute('aria-valuenow', inUnits(view.at, grainOf(view.terms)));
  mark.setAttribute('aria-valuetext', said);
  for (const dot of chart.dots) {
    dot.classList.toggle('counted', view.side === 'below' ? dot.value < view.at : dot.value > view.at);
  }
}

/** Move the upright that says which year is read out. */
function moveCursor(year, said) {
  const mark = document.getElementById('cursor');
  const upright = mark.querySelector('line');
  upright.setAttribute('x1', chart.x(year));
  upright.setAttribute('x2', chart.x(year));
  mark.setAttribute('aria-valuenow', year);
  mark.setAttribute('aria-valuetext', said);
}
