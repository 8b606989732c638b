/* The page: controls, what the pointer and the keys do, and what is said. */

const state = { view: null, picture: null, cursor: null, waiting: 0, timer: 0 };
const at = (id) => document.getElementById(id);

/** An element with properties and children; texts never become markup. */
function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function option(value, text, chosen) {
  return make('option', { value, selected: String(value) === String(chosen) }, text);
}

/* Controls */

/** Places by country, countries first among theirs. */
function placeOptions(chosen) {
  const groups = new Map();
  for (const series of DATA.series) {
    if (!groups.has(series.country)) groups.set(series.country, new Set());
    groups.get(series.country).add(series.location);
  }
  return [...groups].map(([country, places]) => make('optgroup',
    { label: DATA.countries[country] },
    ...[...places].map((place) => option(place, DATA.places[place], chosen))));
}

/** The series of a place that comes nearest to another one's measure and source. */
function nearestSeries(location, measure, source) {
  const score = (series) => 4 * (series.measure === measure) + 2 * (series.source === source)
    + (series.ahead.length > 0);
  const ours = DATA.series.map((series, index) => ({ series, index }))
    .filter(({ series }) => series.location === location);
  return ours.reduce((best, one) => (score(one.series) > score(best.series) ? one : best)).index;
}

function labelled(text, control, kind = '') {
  return make('label', { className: kind }, make('span', { className: 'name' }, text), control);
}

/** The controls of one term: place, measure, source and, after the first, its sign. */
function termControls(term, position) {
  const own = DATA.series[term.index];
  const there = DATA.series.filter((series) => series.location === own.location);
  const measures = [...new Set(there.map((series) => series.measure))];
  const sources = there.filter((series) => series.measure === own.measure).map((one) => one.source);
  const place = make('select', {}, ...placeOptions(own.location));
  const measure = make('select', {}, ...measures.map(
    (name) => option(name, DATA.measures[name], own.measure)));
  const source = make('select', {}, ...sources.map(
    (name) => option(name, DATA.sources[name], own.source)));
  const choose = () => changeTerm(position, nearestSeries(place.value, measure.value, source.value));
  const parts = [[place, WORDS.place_label], [measure, WORDS.measure_label], [source, WORDS.source_label]];
  for (const [control, name] of parts) {
    control.addEventListener('change', choose);
    if (position > 0) control.setAttribute('aria-label', `${name} ${position + 1}`);
  }
  const row = make('div', { className: 'term' },
    ...parts.map(([control, name]) => labelled(name, control)));
  if (position > 0) row.prepend(signControl(term, position));
  if (state.view.terms.length > 1) row.append(removeControl(own, position));
  return row;
}

function signControl(term, position) {
  const signs = addsUp(term) ? [[1, WORDS.plus], [-1, WORDS.minus]] : [[-1, WORDS.minus]];
  const control = make('select', {}, ...signs.map(([sign, name]) => option(sign, name, term.sign)));
  control.setAttribute('aria-label', `${WORDS.sign_label} ${position + 1}`);
  control.addEventListener('change', () => {
    state.view.terms[position].sign = Number(control.value);
    select(state.view.terms);
  });
  return labelled(WORDS.sign_label, control, 'sign');
}

function removeControl(series, position) {
  const button = make('button', { type: 'button', className: 'remove' }, '×');
  button.setAttribute('aria-label', fill(WORDS.removed, { what: nameOf(series) }));
  button.addEventListener('click', () => {
    const left = state.view.terms.filter((_, i) => i !== position);
    left[0].sign = 1;
    select(left);
    at('add').focus();
  });
  return button;
}

function showControls() {
  const { view } = state;
  const focused = focusedPart();
  at('terms').replaceChildren(...view.terms.map(termControls));
  focused?.();
  at('add').disabled = view.terms.length >= MOST_TERMS;
  at('year').replaceChildren(...yearsOf(view.terms).map((year) => option(year, when(year), view.year)));
  const counted = !signed(view.terms) && kindOf(view.terms) !== 'sum';
  at('below-name').textContent = counted ? WORDS.fewer : WORDS.under_side;
  at('above-name').textContent = counted ? WORDS.more : WORDS.over_side;
  at('limit').value = inUnits(view.at, grainOf(view.terms));
  for (const side of SIDES) at(side).checked = view.side === side;
  at('since').value = view.since;
  at('beside').value = view.world;
  showExtras(view);
}

/** The controls are made anew; what had the focus gets it back. */
function focusedPart() {
  const rows = [...document.querySelectorAll('.term')];
  const row = rows.findIndex((one) => one.contains(document.activeElement));
  if (row < 0) return null;
  const part = [...rows[row].querySelectorAll('select')].indexOf(document.activeElement);
  return () => document.querySelectorAll('.term')[row]?.querySelectorAll('select')[part]?.focus();
}

function showExtras(view) {
  const alone = view.terms.length === 1;
  const index = view.terms[0].index;
  const has = {
    past: alone && index in DATA.past,
    editions: alone && DATA.editions.some(({ rows }) => index in rows),
  };
  for (const [name, there] of Object.entries(has)) {
    at(`${name}-choice`).hidden = !there;
    at(name).checked = view[name];
  }
  at('beside-choice').hidden = DATA.worlds.length < 2;
  at('extras').hidden = DATA.worlds.length < 2 && !has.past && !has.editions;
}

/* What is said */

/** A text whose periods, such as 2027-06, are not broken at the end of a line. */
function unbroken(text) {
  const parts = text.split(/(\d{4}-(?:\d\d|[QH]\d)\b)/);
  return parts.map((part, i) => (i % 2 ? make('span', { className: 'n' }, part) : part));
}

/** Text with the chance made strong. */
function withChance(text, share) {
  const [before, after] = text.split('{chance}');
  const number = before === '' ? opening(percent(share)) : percent(share);
  return [...unbroken(opening(before)), make('strong', {}, number), ...unbroken(after ?? '')];
}

/** The answer in a world: its sentence, and the share behind it; null share without a chance. */
function answerOf(view, world) {
  // A series without a forecast says why.
  if (view.year === null) return { text: DATA.series[view.terms[0].index].note, share: null };
  const found = distribution(view.terms, world, view.year);
  if (found === null) return { text: fill(WORDS.no_answer, { year: when(view.year) }), share: null };
  if (found.figure !== undefined) {
    const text = fill(WORDS.observed, { figure: inText(found.figure, formOf(view.terms)) });
    return { text, share: null };
  }
  return {
    text: claim(view.terms, view.side, view.at, view.year), found,
    share: chance(found, view.side, view.at),
  };
}

function plainAnswer({ text, share }) {
  return opening(share === null ? text : text.replace('{chance}', percent(share)));
}

function sayAnswer() {
  const { view } = state;
  const answer = answerOf(view, 0);
  at('answer').replaceChildren(
    ...(answer.share === null ? unbroken(answer.text) : withChance(answer.text, answer.share)));
  at('range').textContent = answer.share === null ? '' : rangeSaid(answer);
  at('precision').textContent = answer.share === null ? '' : precisionSaid(answer);
  sayBeside(view);
  return answer;
}

function rangeSaid({ found, share }) {
  const { form } = state.picture;
  const [low, high] = ends(found, 0.8).map((value) => inText(rounded(value), form));
  const middle = inText(rounded(quantile(found, 0.5)), form);
  return fill(WORDS.otherwise, { word: opening(likelihood(share)), middle, low, high });
}

function precisionSaid({ found, share }) {
  const values = {
    points: TENTHS.format(points(share, found.draws)),
    kept: WHOLE.format(found.draws), all: WHOLE.format(DATA.worlds[0].all),
  };
  return fill(found.smooth || found.draws === DATA.worlds[0].all
    ? WORDS.all_draws : WORDS.some_draws, values);
}

function sayBeside(view) {
  const box = at('if-answer');
  box.hidden = view.world === 0;
  if (view.world === 0) return;
  const answer = answerOf(view, view.world);
  at('if-name').textContent = worldName(view.world);
  at('if-text').textContent = plainAnswer(answer);
}

/** What is known of a year, for the line above the chart. */
function readOut(year) {
  const { picture } = state;
  const find = (rows) => rows.find((row) => row.year === year);
  const [seen, ahead, other] = [picture.history, picture.fan, picture.beside].map(find);
  const said = [];
  if (seen) said.push([opening(WORDS.figure), inText(seen.value, picture.form)]);
  if (ahead) said.push(...fanSaid(ahead));
  if (other) {
    said.push([worldKind(state.view.world), `${inText(rounded(other.median, 3), picture.form)} (${
      between(other.bands[1])})`]);
  }
  const flags = [...(seen?.flags ?? []), ...(find(picture.empty)?.flags ?? [])];
  if (flags.length > 0) said.push([WORDS.remarks, flags.map((flag) => WORDS.flags[flag]).join('; ')]);
  return [...said, ...marksSaid(year)];
}

function between(bounds) {
  const [low, high] = bounds.map((value) => inText(rounded(value, 3), state.picture.form));
  return fill(WORDS.between, { low, high });
}

function fanSaid(row) {
  const middle = inText(rounded(row.median, 3), state.picture.form);
  return [[WORDS.middle, middle],
    ...DATA.levels.map((level, i) => [intervalName(level), between(row.bands[i])])];
}

/** Past forecasts and earlier editions of a year. */
function marksSaid(year) {
  const { picture } = state;
  const write = (value) => inText(rounded(value, 3), picture.form);
  const past = [...picture.past].flatMap(([origin, rows]) => rows.filter((row) => row.year === year)
    .map((row) => fill(WORDS.past_line, { origin: when(origin), median: write(row.median) })));
  const editions = picture.editions.filter((mark) => mark.year === year).map((mark) => fill(
    WORDS.edition_line, { day: mark.day, median: write(mark.median), low: write(mark.low), high: write(mark.high) }));
  return [...past, ...editions].map((text) => ['', text]);
}

function writeReadOut(year) {
  const said = readOut(year);
  const items = said.map(([name, text]) => make('span', {},
    ...(name ? [make('span', { className: 'name' }, name), ' '] : []), text));
  at('readout').replaceChildren(make('strong', {}, when(year)), ...items);
  return said.map((pair) => pair.filter(Boolean).join(' ')).join('; ');
}

/** Keep room for the longest line, so that the chart stays where it is while years are read. */
function keepRoom() {
  const length = (year) => readOut(year).flat().join(' ').length;
  const years = yearsShown(state.picture);
  const longest = years.reduce((best, year) => (length(year) > length(best) ? year : best), years[0]);
  const box = at('readout');
  box.style.minHeight = '0';
  if (longest !== undefined) writeReadOut(longest);
  box.style.minHeight = `${box.offsetHeight}px`;
}

function readYear(year) {
  state.cursor = year;
  moveCursor(year, `${when(year)}: ${writeReadOut(year)}`);
}

/** A value of the table as the report writes it: figures whole, others to three digits. */
function written(value, form) {
  if (value === null) return '';
  if (form === 'share') return percent(value);
  if (form === 'figure') return inText(value, state.picture.form);
  return form === 'model' ? inText(rounded(value, 3), state.picture.form) : String(value);
}

/** Two rows of heads: intervals, and what stands beside the forecast, over their ends. */
function tableHeads(columns) {
  const above = make('tr');
  const below = make('tr');
  const nameOfGroup = ({ group, world }) => [world ? worldKind(world) : '', group].filter(Boolean).join(': ');
  columns.forEach((column, i) => {
    const name = nameOfGroup(column);
    const last = i > 0 && name !== '' && nameOfGroup(columns[i - 1]) === name;
    const kind = { text: '', share: 'n wraps' }[column.form] ?? 'n';
    if (name === '') above.append(make('th', { scope: 'col', rowSpan: 2, className: kind }, column.name));
    else {
      if (last) above.lastChild.colSpan += 1;
      else above.append(make('th', { scope: 'colgroup', colSpan: 1, className: 'g' }, name));
      below.append(make('th', { scope: 'col', className: 'n' }, column.name));
    }
  });
  return [above, below];
}

function showTable() {
  const { view, picture } = state;
  const { columns, rows } = tableOf(view, picture);
  const cells = (row) => row.map((value, i) => {
    const kind = columns[i].form === 'text' ? 'flags' : 'n';
    const made = make(i === 0 ? 'th' : 'td', { className: kind }, written(value, columns[i].form));
    if (i === 0) made.scope = 'row';
    return made;
  });
  const body = rows.map((row) => make('tr', { className: row[2] === null ? 'seen' : '' }, ...cells(row)));
  at('caption').textContent = fill(WORDS.table, { what: subject(view.terms) });
  at('head').replaceChildren(...tableHeads(columns));
  at('rows').replaceChildren(...body.reverse());
}

function showNotes() {
  const { view } = state;
  const noted = (view.year === null ? [] : view.terms).map(({ index }) => DATA.series[index])
    .filter((series) => series.note);
  const notes = noted.map((series) => (
    view.terms.length > 1 ? `${DATA.places[series.location]}: ${series.note}` : series.note));
  at('note').replaceChildren(...unbroken(notes.join(' ')));
  const own = DATA.series[view.terms[0].index];
  at('trust').textContent = view.terms.length === 1 ? own.trust[view.year] ?? '' : '';
  at('subject').textContent = subject(view.terms);
  at('dots').textContent = chart.dots.length ? fill(WORDS.dots, { year: when(view.year) }) : '';
  showLegend();
}

function showLegend() {
  const { picture } = state;
  const flags = new Set([...picture.history, ...picture.empty].flatMap((row) => row.flags));
  const shown = {
    fan: picture.fan.length > 0, doubted: [...flags].some((flag) => flag !== 'break'),
    break: flags.has('break'), empty: picture.empty.some((row) => row.flags.length > 0),
    target: picture.targets.length > 0, beside: picture.beside.length > 0,
    past: picture.past.size > 0, editions: picture.editions.length > 0,
  };
  for (const item of document.querySelectorAll('[data-when]')) item.hidden = !shown[item.dataset.when];
}

/* What changes */

/** Choose other series; the threshold begins anew. */
function select(terms) {
  const { side, world, since, past, editions, year } = state.view;
  const view = { ...newView(terms), side, world, since, past, editions };
  if (yearsOf(terms).includes(year)) view.year = year;
  state.view = view;
  showAll();
}

function changeTerm(position, index) {
  state.view.terms[position].index = index;
  select(state.view.terms);
}

function oneMore() {
  const { terms } = state.view;
  const last = DATA.series[terms[terms.length - 1].index];
  const taken = new Set(terms.map((term) => term.index));
  const free = DATA.series.map((series, index) => ({ series, index }))
    .filter(({ series, index }) => !taken.has(index) && series.ahead.length > 0);
  const rank = ({ series }) => 2 * (series.measure === last.measure) + (series.source === last.source);
  if (free.length === 0) return;
  const best = free.reduce((one, other) => (rank(other) > rank(one) ? other : one));
  select([...terms, { index: best.index, sign: 1 }]);
  document.querySelector('.term:last-child select:nth-of-type(1)')?.focus();
}

/** Show a choice: everything is drawn anew. */
function showAll() {
  state.picture = pictureOf(state.view);
  showControls();
  showChart();
  settled();
}

function showChart() {
  drawChart(at('chart'), state.view, state.picture);
  const answer = sayAnswer();
  moveThreshold(state.view, plainAnswer(answer));
  const [, last] = spanOf(state.picture);
  keepRoom();
  readYear(state.view.year ?? last);
  showNotes();
}

/** What can wait until a drag has ended: table, address, and the live region. */
function settled() {
  showTable();
  try {
    window.history.replaceState(null, '', toAddress(state.view));
  } catch {
    // Some browsers refuse this for files; the view then stays out of the address.
  }
  const answer = plainAnswer(answerOf(state.view, 0));
  if (at('live').textContent !== answer) at('live').textContent = answer;
}

/** Move the threshold: at most one change per frame, the rest when it rests. */
function setThreshold(value) {
  state.view.at = Math.round(value);
  if (state.waiting) return;
  state.waiting = requestAnimationFrame(() => {
    state.waiting = 0;
    const answer = sayAnswer();
    moveThreshold(state.view, plainAnswer(answer));
    if (document.activeElement !== at('limit')) {
      at('limit').value = inUnits(state.view.at, state.picture.form.grain);
    }
    clearTimeout(state.timer);
    state.timer = setTimeout(settled, 250);
  });
}

function snapped(value) {
  const { step } = chart.box;
  return Math.round(value / step) * step;
}

/* Pointer and keys */

function dragThreshold(event) {
  const mark = event.target.closest('#threshold');
  if (!mark || event.button > 0) return;
  event.preventDefault();
  mark.focus({ preventScroll: true });
  mark.setPointerCapture(event.pointerId);
  const host = at('chart');
  const move = (moved) => {
    const { low, high } = chart.box;
    const value = chart.valueAt(moved.clientY - host.getBoundingClientRect().top);
    setThreshold(snapped(Math.min(Math.max(value, low), high)));
  };
  mark.addEventListener('pointermove', move);
  const stop = () => mark.removeEventListener('pointermove', move);
  mark.addEventListener('pointerup', stop, { once: true });
  mark.addEventListener('pointercancel', stop, { once: true });
}

function yearUnder(event) {
  const { first, last } = chart.box;
  const px = event.clientX - at('chart').getBoundingClientRect().left;
  const shown = yearsShown(state.picture).filter((year) => year >= first && year <= last);
  const near = chart.yearAt(px);
  return shown.reduce((best, year) => (Math.abs(year - near) < Math.abs(best - near) ? year : best));
}

function hover(event) {
  if (event.buttons > 0 || yearsShown(state.picture).length === 0) return;
  const year = yearUnder(event);
  if (year !== state.cursor) readYear(year);
}

function chooseYear(year) {
  if (!yearsOf(state.view.terms).includes(year) || year === state.view.year) return;
  state.view.year = year;
  showAll();
}

function thresholdKeys(event) {
  const { step, low, high } = chart.box;
  const moves = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step,
    PageUp: 10 * step, PageDown: -10 * step };
  if (event.key in moves) setThreshold(snapped(state.view.at + moves[event.key]));
  else if (event.key === 'Home') setThreshold(snapped(low));
  else if (event.key === 'End') setThreshold(snapped(high));
  else return;
  event.preventDefault();
}

function yearKeys(event) {
  const years = yearsShown(state.picture);
  const now = years.indexOf(state.cursor);
  const moves = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1,
    Home: 0, End: years.length - 1,
    // Many months are read in steps of a year.
    ...(PER_YEAR > 1 && { PageUp: now + PER_YEAR, PageDown: now - PER_YEAR }) };
  if (event.key in moves) readYear(years[Math.min(Math.max(moves[event.key], 0), years.length - 1)]);
  else if (event.key === 'Enter' || event.key === ' ') {
    chooseYear(state.cursor);
    at('cursor').focus();
  } else return;
  event.preventDefault();
}

function chartKeys(event) {
  if (event.target.id === 'threshold') thresholdKeys(event);
  else if (event.target.id === 'cursor') yearKeys(event);
}

/* Beginning */

function tell(text) {
  at('status').textContent = text;
}

function listenToControls() {
  const change = (id, act) => at(id).addEventListener('change', act);
  change('year', () => chooseYear(Number(at('year').value)));
  for (const side of SIDES) change(side, () => { state.view.side = side; showAll(); });
  change('since', () => { state.view.since = Number(at('since').value); showAll(); });
  change('beside', () => { state.view.world = Number(at('beside').value); showAll(); });
  for (const name of ['past', 'editions']) {
    change(name, () => { state.view[name] = at(name).checked; showAll(); });
  }
  at('limit').addEventListener('input', () => {
    if (at('limit').value !== '') setThreshold(Number(at('limit').value) / state.picture.form.grain);
  });
  at('add').addEventListener('click', oneMore);
  at('question').addEventListener('submit', (event) => event.preventDefault());
}

function listenToChart() {
  const host = at('chart');
  host.addEventListener('pointerdown', dragThreshold);
  host.addEventListener('pointermove', hover);
  host.addEventListener('pointerleave', () => readYear(state.view.year ?? state.cursor));
  host.addEventListener('click', (event) => {
    if (event.target.closest('#cursor')) chooseYear(yearUnder(event));
  });
  host.addEventListener('keydown', chartKeys);
  let width = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth === width) return;
    width = host.clientWidth;
    showChart();
  }).observe(host);
}

function listenToFiles() {
  at('csv').addEventListener('click', () => {
    const content = new Blob([csvOf(state.view, state.picture)], { type: 'text/csv;charset=utf-8' });
    tell(fill(WORDS.saved, { file: save(content, fileName(state.view, 'csv')) }));
  });
  at('png').addEventListener('click', async () => {
    const { view } = state;
    const [answer, other] = [0, view.world].map((world) => plainAnswer(answerOf(view, world)));
    const content = await pngOf(view, answer, view.world > 0 ? other : '');
    tell(fill(WORDS.saved, { file: save(content, fileName(state.view, 'png')) }));
  });
  at('copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      tell(WORDS.copied);
    } catch {
      tell(WORDS.not_copied);
    }
  });
}

function restore() {
  const { view, doubt } = fromAddress(location.hash);
  state.view = view;
  tell(doubt ? WORDS.unknown_view : '');
  showAll();
}

function start() {
  at('beside').append(...DATA.worlds.slice(1).map((world, i) => option(i + 1, world.title, 0)));
  listenToControls();
  restore();
  listenToChart();
  listenToFiles();
  window.addEventListener('hashchange', () => {
    if (location.hash !== toAddress(state.view)) restore();
  });
  document.documentElement.dataset.ready = Math.round(performance.now());
}
