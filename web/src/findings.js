// findings.js - a card for each finding.
import { bytes, call, count, el, ownCall, percent, seconds } from './words.js';

const roles = [
	['growing', 'growing'], ['writing', 'filling'], ['iterating', 'iterating'],
	['reading', 'reading'], ['waiting', 'waiting'], ['holding', 'only holding'],
];

function stackList(stack, cut) {
	const list = el('ol', { class: 'stack' });
	for (const c of stack || []) list.append(el('li', { class: c.runtime ? 'runtime' : null }, call(c)));
	if (cut) list.append(el('li', { class: 'runtime' }, `cut: ${cut}`));
	return list;
}

function stackDetails(summary, stack, cut, createdBy) {
	const box = el('details', {}, el('summary', {}, ...summary), stackList(stack, cut));
	if (createdBy && createdBy.function) box.append(el('p', { class: 'created' }, 'created by ', call(createdBy)));
	return box;
}

function title(f) {
	const map = f.map;
	if (f.kind === 'code') return ['maps made anew in ', call(ownCall(f.code && f.code.stack))];
	if (f.kind === 'owner') return [`${count(f.maps && f.maps.after)} × `, (f.maps && f.maps.type) || 'map of unknown type'];
	return [(map && map.type) || 'map of unknown type', map ? ` at ${map.address}` : ''];
}

function users(f) {
	const u = f.users;
	if (!u || !u.total) return null;
	const parts = roles.filter(([key]) => u[key]).map(([key, word]) =>
		`${count(u[key])} ${word}${key === 'waiting' && u.behind ? ` for ${u.behind}` : ''}`);
	return el('p', { class: 'users' }, `${count(u.total)} goroutines: ${parts.join(', ')}`);
}

function advice(a) {
	if (!a || !a.text) return null;
	const box = el('p', { class: 'advice' });
	if (a.file && a.line) {
		const file = a.file.slice(a.file.lastIndexOf('/') + 1);
		box.append(el('code', { title: a.file }, `${file}:${a.line}`), ' ');
	}
	box.append(a.text);
	if (a.saves_bytes !== null && a.saves_bytes !== undefined) box.append(`; saves ${bytes(a.saves_bytes)}`);
	if (a.risk) box.append(el('span', { class: 'risk' }, ` Risk: ${a.risk}.`));
	if (a.since) box.append(` From Go ${a.since} on.`);
	if (a.until) box.append(` Up to Go ${a.until}.`);
	return box;
}

function fillers(f) {
	return (f.fillers || []).map((x) => stackDetails(
		['filled by ', call(ownCall(x.stack)), ` in ${count(x.growths)} of ${count(f.growths_traced)} growths`],
		x.stack, x.stack_cut, x.created_by));
}

function waiters(f) {
	return (f.waiters || []).map((w) => stackDetails(
		[`up to ${count(w.count)} wait for ${w.behind}`, w.oldest_s ? `, the oldest for ${seconds(w.oldest_s)}` : ''],
		w.stack, w.stack_cut, w.created_by));
}

function code(f) {
	const c = f.code;
	if (!c || !c.stack) return [];
	const what = f.kind === 'code' ? 'filled by ' : 'its table was made by ';
	const box = stackDetails([what, call(ownCall(c.stack))], c.stack, c.stack_cut, null);
	if (c.made_at && c.made_at.function) box.append(el('p', { class: 'created' }, 'made by ', call(c.made_at)));
	const facts = [];
	if (c.alloc_bytes_per_s > 0) facts.push(`tables of maps take ${bytes(c.alloc_bytes_per_s)}/s there, ${percent(c.alloc_share)} of all that is allocated`);
	if (c.grown_bytes_per_s > 0) facts.push(`maps that are gone by now grew by ${bytes(c.grown_bytes_per_s)}/s`);
	if (c.cpu_share > 0) facts.push(`making and filling them is ${percent(c.cpu_share)} of what runs`);
	return f.kind === 'code' && facts.length ? [box, el('p', {}, facts.join('; '))] : [box];
}

/** What the machine code has, beside what was seen to run. */
function sites(f) {
	const seen = (f.fillers || []).length || (f.code && f.code.stack);
	return [['deletes from', 'deleted'], ...(seen ? [] : [['fills', 'filled'], ['makes', 'made']])].flatMap(([what, key]) => {
		const c = f.sites && f.sites[key];
		if (!c || !c.first.length || c.lines > c.first.length) return [];
		const line = el('p', { class: 'created' }, `code that ${what} ${c.is_of_place ? 'it' : 'such maps'}: `);
		c.first.forEach((at, i) => line.append(i ? ', ' : '', call(at)));
		return [line];
	});
}

function race(f) {
	if (!f.race) return [];
	const boxes = (f.race.goroutines || []).map((g) => stackDetails(
		[`goroutine ${count(g.id)}: `, call(ownCall(g.stack))], g.stack, g.stack_cut, null));
	return [el('p', { class: 'race' }, `A clue, no proof: ${f.race.kind}: ${f.race.why || ''}`), ...boxes];
}

function leak(f) {
	if (!f.leak) return [];
	return [stackDetails(
		[`held by goroutines that became more, from ${count(f.leak.before)} to ${count(f.leak.after)}, and wait (${f.leak.wait_reason || '?'})`],
		f.leak.stack, f.leak.stack_cut, f.leak.created_by)];
}

/** One card. */
function card(f) {
	const evidence = el('ul', {}, ...(f.evidence || []).map((line) => el('li', {}, line)));
	return el('article', { class: `finding ${f.verdict}`, 'aria-labelledby': `finding-${f.rank}` },
		el('h3', { id: `finding-${f.rank}` }, el('span', { class: 'rank' }, `${f.rank}`),
			el('span', { class: 'verdict' }, f.verdict), ' ', ...title(f)),
		f.owner ? el('p', { class: 'owner' }, f.owner) : null,
		users(f), ...race(f), ...leak(f), evidence, ...fillers(f), ...code(f), ...sites(f), ...waiters(f), advice(f.advice));
}

export function findingCards(report) {
	const box = el('section', { id: 'findings', 'aria-label': 'Findings' }, el('h2', {}, 'Findings'));
	for (const f of report.findings) box.append(card(f));
	if (!report.findings.some((f) => f.verdict !== 'stable')) {
		box.append(el('p', {}, 'No map was seen to grow, and none holds much slack by itself.'));
	}
	return box;
}
