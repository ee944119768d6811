// main.js - from the two documents in the page to what is seen.
import { findingCards } from './findings.js';
import { flame } from './flame.js';
import { table } from './table.js';
import { timeline } from './timeline.js';
import { bytes, count, el, percent, seconds } from './words.js';

function documentOf(id) {
	return JSON.parse(document.getElementById(id).textContent);
}

function header(report) {
	const t = report.target;
	const exe = (t.exe || 'process').split('/').pop();
	const is_c = t.libhmap && !t.go_version; // No collector, and no heap of one.
	const facts = [
		['maps', `${bytes(report.memory.map_bytes)}, ${bytes(report.memory.map_slack_bytes)} of it slack`],
		!is_c && ['heap', bytes(report.memory.heap_bytes)],
		['resident', bytes(report.memory.rss_bytes)],
		['watched for', seconds(report.window_s)],
		!is_c && ['collections', count(report.gc_cycles)],
		['growths', count(report.growths_counted)],
		!is_c && ['allocated', report.allocations && report.allocations.window_bytes !== null
			? `${bytes(report.allocations.window_bytes / report.allocations.window_s)}/s, ${percent(report.allocations.map_bytes / (report.allocations.window_bytes || 1))} for maps` : '?'],
	].filter(Boolean);
	document.title = `${exe}: maps`;
	return el('header', {},
		el('h1', {}, `${exe} `, el('span', { class: 'target' }, `pid ${t.pid ?? '?'}, ${[t.go_version, t.libhmap && `libhmap ${t.libhmap}`].filter(Boolean).join(', ') || '?'}`)),
		report.partial ? el('p', { class: 'partial' }, `Partial: ${report.partial_reason}`) : null,
		el('dl', {}, ...facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))));
}

function owners(rows) {
	return table('maps', 'Maps by owner', [
		{ name: 'owner', key: 'owner' },
		{ name: 'type', key: 'type' },
		{ name: 'maps', key: 'maps', number: true, show: count },
		{ name: 'entries', key: 'entries', number: true, show: count },
		{ name: 'capacity', key: 'capacity', number: true, show: count },
		{ name: 'load', key: 'load', number: true, show: percent },
		{ name: 'bytes', key: 'total_bytes', number: true, show: bytes },
		{ name: 'slack', key: 'slack_bytes', number: true, show: bytes },
	], rows.map((r) => ({ ...r, load: r.capacity ? r.entries / r.capacity : null })), 'total_bytes');
}

function clusters(rows) {
	return table('goroutines', 'Goroutines', [
		{ name: 'count', key: 'count', number: true, show: count },
		{ name: 'state', key: 'state' },
		{ name: 'waits for', key: 'waits_for' },
		{ name: 'oldest', key: 'oldest_s', number: true, show: (s) => (s === null ? '' : seconds(s)) },
		{ name: 'where', key: 'where' },
		{ name: 'created by', key: 'created_by' },
	], rows, 'count');
}

function footer(report) {
	const c = report.cost;
	return el('footer', {}, el('p', {},
		`read ${bytes(c.read_bytes)} in ${seconds(c.wall_s)}, stopped ${count(c.stops)} times, ${count(c.probes)} probes placed and removed`),
	el('p', {}, `seen ${count(report.coverage.seen)}, read ${count(report.coverage.read)}, typed ${count(report.coverage.typed)} maps`),
	el('p', {}, `${report.tool.name} ${report.tool.version}`));
}

function start() {
	const report = documentOf('report');
	const extra = documentOf('extra');
	const line = timeline(extra, report.window_s);
	const graph = flame(extra);
	const main = el('main', {}, findingCards(report), line.box, graph.box, owners(extra.owners), clusters(extra.clusters));
	const drawn = () => { line.draw(); graph.draw(); };

	document.body.replaceChildren(header(report), main, footer(report));
	drawn();
	let wait = null;
	window.addEventListener('resize', () => { clearTimeout(wait); wait = setTimeout(drawn, 150); });
	window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawn);
}

start();
