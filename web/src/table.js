// table.js - a table that sorts by its headers, which are buttons, and filters by what is typed.
import { el } from './words.js';

function compare(a, b, descending) {
	const unknown = (x) => x === null || x === undefined;
	if (unknown(a) || unknown(b)) return unknown(a) - unknown(b); // Unknown comes last.
	const order = typeof a === 'string' ? a.localeCompare(b) : a - b;
	return descending ? -order : order;
}

/**
 * @param columns { name, key, show, number }: show makes text or an element of a value
 * @param rows plain objects
 */
export function table(id, heading, columns, rows, sortKey) {
	let key = sortKey;
	let descending = true;
	const body = el('tbody');
	const status = el('p', { class: 'status', role: 'status' });
	const filter = el('input', {
		type: 'search', id: `${id}-filter`, placeholder: 'filter', 'aria-label': `Filter ${heading}`,
	});
	const headers = columns.map((c) => {
		const button = el('button', { type: 'button' }, c.name);
		const th = el('th', { scope: 'col', class: c.number ? 'number' : null }, button);
		button.addEventListener('click', () => {
			descending = key === c.key ? !descending : Boolean(c.number);
			key = c.key;
			draw();
		});
		return th;
	});

	function draw() {
		const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
		const shown = rows.filter((row) => {
			const text = columns.map((c) => (typeof row[c.key] === 'string' ? row[c.key] : '')).join(' ').toLowerCase();
			return words.every((w) => text.includes(w));
		}).sort((a, b) => compare(a[key], b[key], descending));
		body.replaceChildren(...shown.map((row) => el('tr', {}, ...columns.map((c) =>
			el('td', { class: c.number ? 'number' : null, 'data-label': c.name }, c.show ? c.show(row[c.key], row) : (row[c.key] ?? '?'))))));
		headers.forEach((th, i) => {
			const mine = columns[i].key === key;
			th.setAttribute('aria-sort', mine ? (descending ? 'descending' : 'ascending') : 'none');
		});
		status.textContent = `${shown.length} of ${rows.length} rows`;
	}

	filter.addEventListener('input', draw);
	draw();
	return el('section', { id, 'aria-label': heading }, el('h2', {}, heading), filter, status,
		el('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': heading },
			el('table', {}, el('thead', {}, el('tr', {}, ...headers)), body)));
}
