/**
 * The heat map's part of the script: the filter, the rows that are not drawn at first, and the figures of a cell. It
 * makes elements and sets their text; names are never read as markup.
 */
export const HEAT_MAP_SCRIPT = String.raw`
function heatMap() {
  const table = document.getElementById('heat');
  if (table === null) return;
  const filter = document.getElementById('heat-filter');
  const status = document.getElementById('heat-status');
  const detail = document.getElementById('heat-detail');
  const everything = document.getElementById('heat-all');
  const data = JSON.parse(document.getElementById('heat-rest').textContent);
  const groups = [...table.tBodies];
  const bodies = new Map(groups.map((body) => [body.dataset.group, body]));
  const drawn = [...table.querySelectorAll('tr.row')];
  const names = drawn.map((row) => row.firstElementChild.textContent.toLowerCase());
  const restNames = data.rows.map(([, name]) => name.toLowerCase());
  const made = new Map();
  const figure = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
  let all = data.rows.length === 0;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className !== '') made.className = className;
    made.textContent = text;
    return made;
  };
  const short = (value) => {
    for (const [size, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
      if (value < size * 0.9995) continue;
      const scaled = value / size;
      return (scaled < 9.95 ? scaled.toFixed(1).replace(/\.0$/, '') : scaled.toFixed(0)) + letter;
    }
    return String(value);
  };

  // Cells are made when their row comes into sight: 300,000 at once would take many seconds.
  const empty = new Map();
  const sight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) fill(target);
  }, { root: table.parentElement, rootMargin: '600px 0px' });

  function makeRow(entry) {
    const [, name, statements, writers] = entry;
    const row = element('tr', 'row', '');
    const head = element('th', '', name);
    head.scope = 'row';
    head.title = name;
    const later = element('td', 'filler', '');
    later.colSpan = data.services.length + 1;
    row.append(head, element('td', 'number', short(statements)), element('td', writers > 1 ? 'number many' : 'number', writers), later);
    empty.set(row, entry);
    sight.observe(row);
    return row;
  }

  function fill(row) {
    const entry = empty.get(row);
    if (entry === undefined) return;
    empty.delete(row);
    sight.unobserve(row);
    const [, name, , , cells] = entry;
    const used = new Map();
    for (const [, place, letters, level, count] of cells.matchAll(/([0-9a-z]+)([A-Z]+)([0-9])([0-9a-z]+)/g)) {
      used.set(parseInt(place, 36), [letters, level, parseInt(count, 36)]);
    }
    row.lastElementChild.remove();
    row.append(...data.services.map((service, place) => {
      const use = used.get(place);
      if (use === undefined) return element('td', 'c', '-');
      const letters = use[0].replace('X', 'x').replace('N', '-');
      const cell = element('td', 'c h' + use[1], letters);
      cell.title = service + ': ' + name + '\n' + figure(use[2]) + ' statements (' + letters + ')';
      return cell;
    }), element('td', 'filler', ''));
  }
  addEventListener('beforeprint', () => { for (const row of [...empty.keys()]) if (!row.hidden) fill(row); });

  function render() {
    const words = filter.value.trim().toLowerCase();
    let shown = 0;
    let matching = 0;
    drawn.forEach((row, index) => {
      row.hidden = !names[index].includes(words);
      if (!row.hidden) { shown += 1; matching += 1; }
    });
    const added = new Map();
    restNames.forEach((name, index) => {
      const matches = name.includes(words);
      if (matches) matching += 1;
      // Without a filter the first rows are the busiest; with one, the other rows fill up what it left free.
      const wanted = matches && (all || (words !== '' && shown < data.limit));
      if (wanted) shown += 1;
      let row = made.get(index);
      if (row === undefined && wanted) {
        row = makeRow(data.rows[index]);
        made.set(index, row);
        const group = String(data.rows[index][0]);
        if (!added.has(group)) added.set(group, document.createDocumentFragment());
        added.get(group).append(row);
      }
      if (row !== undefined) row.hidden = !wanted;
    });
    for (const [group, rows] of added) bodies.get(group).append(rows);
    for (const body of groups) body.hidden = body.querySelector('tr.row:not([hidden])') === null;
    const total = drawn.length + restNames.length;
    status.textContent = words === ''
      ? figure(shown) + ' of ' + figure(total) + (total === 1 ? ' table' : ' tables') + (all ? '' : ', the busiest')
      : figure(shown) + ' shown of ' + figure(matching) + ' that match';
    if (everything !== null) everything.hidden = all;
  }

  let chosen = null;
  function choose(cell) {
    if (chosen !== null) chosen.tabIndex = -1;
    chosen = cell;
    cell.tabIndex = 0;
    const service = table.tHead.rows[0].cells[cell.cellIndex].title;
    detail.textContent = cell.title || service + ': ' + cell.parentElement.firstElementChild.textContent + '\nnothing seen';
  }
  const first = table.querySelector('td.c');
  if (first !== null) { first.tabIndex = 0; chosen = first; }

  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  table.addEventListener('focusin', (event) => { if (event.target.matches('td.c')) choose(event.target); });
  table.addEventListener('click', (event) => {
    const cell = event.target.closest('td.c');
    if (cell !== null) { choose(cell); cell.focus(); }
  });
  table.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (step === undefined || !event.target.matches('td.c')) return;
    event.preventDefault();
    const rows = [...table.querySelectorAll('tbody:not([hidden]) tr.row:not([hidden])')];
    const row = rows[rows.indexOf(event.target.parentElement) + step[0]];
    if (row === undefined) return;
    fill(row);
    const next = row.cells[event.target.cellIndex + step[1]];
    if (next === undefined || !next.matches('td.c')) return;
    next.tabIndex = -1;
    next.focus();
  });
  // A filter may hide the one cell that the Tab key stops at.
  filter.addEventListener('input', () => {
    render();
    const row = table.querySelector('tbody:not([hidden]) tr.row:not([hidden])');
    if (row === null) return;
    fill(row);
    const visible = row.querySelector('td.c');
    if (chosen !== null && chosen.closest('[hidden]') !== null) {
      chosen.tabIndex = -1;
      chosen = visible;
      visible.tabIndex = 0;
    }
  });
  if (everything !== null) everything.addEventListener('click', () => { all = true; render(); filter.focus(); });
  // A browser that reloads may keep what was in the field.
  if (filter.value !== '') render();
}
`;
