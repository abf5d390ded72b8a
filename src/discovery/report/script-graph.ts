/** The graph's part of the script: a table with its neighbours, the rest dimmed. */
export const GRAPH_SCRIPT = String.raw`
function graph() {
  const drawing = document.getElementById('graph-drawing');
  if (drawing === null) return;
  const detail = document.getElementById('graph-detail');
  const nodes = [...drawing.querySelectorAll('.node')];
  const edges = [...drawing.querySelectorAll('.edge')];
  const titleOf = (element) => element.querySelector('title').textContent;
  let pinned = null;

  function show(node) {
    drawing.classList.toggle('dim', node !== null);
    for (const element of drawing.querySelectorAll('.lit')) element.classList.remove('lit');
    if (node === null) { detail.textContent = 'No table chosen.'; return; }
    node.classList.add('lit');
    const { place } = node.dataset;
    const lines = [titleOf(node)];
    for (const edge of edges) {
      const { a, b } = edge.dataset;
      if (a !== place && b !== place) continue;
      edge.classList.add('lit');
      nodes[Number(a === place ? b : a)].classList.add('lit');
      lines.push(titleOf(edge));
    }
    const more = lines.length - 13;
    detail.textContent = lines.slice(0, 13).join('\n') + (more > 0 ? '\nand ' + more + ' more' : '');
  }
  function pin(node) {
    if (pinned !== null) { pinned.classList.remove('pinned'); pinned.setAttribute('aria-pressed', 'false'); }
    pinned = node === pinned ? null : node;
    if (pinned !== null) { pinned.classList.add('pinned'); pinned.setAttribute('aria-pressed', 'true'); }
    show(pinned);
  }
  function stop(node) {
    for (const other of nodes) other.tabIndex = other === node ? 0 : -1;
  }

  const nodeAt = (event) => event.target.closest('.node');
  drawing.addEventListener('pointerover', (event) => { if (nodeAt(event) !== null && pinned === null) show(nodeAt(event)); });
  drawing.addEventListener('pointerout', (event) => { if (nodeAt(event) !== null && pinned === null) show(null); });
  drawing.addEventListener('focusin', (event) => {
    const node = nodeAt(event);
    if (node === null) return;
    stop(node);
    if (pinned === null) show(node);
  });
  drawing.addEventListener('focusout', () => { if (pinned === null) show(null); });
  drawing.addEventListener('click', (event) => {
    if (nodeAt(event) !== null) pin(nodeAt(event));
    else if (pinned !== null) pin(pinned);
  });
  drawing.addEventListener('keydown', (event) => {
    const node = nodeAt(event);
    if (node === null) return;
    if (event.key === 'Enter' || event.key === ' ') pin(node);
    else if (event.key === 'Escape' && pinned !== null) pin(pinned);
    else if (event.key === 'ArrowRight' || event.key === 'ArrowDown') (nodes[Number(node.dataset.place) + 1] || nodes[0]).focus();
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') nodes.at(Number(node.dataset.place) - 1).focus();
    else return;
    event.preventDefault();
  });
}
`;
