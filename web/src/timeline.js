// timeline.js - growths, heap and waiters on one line of time; marking is shaded behind them.
import uPlot from 'uplot';
import { bytes, count, el } from './words.js';

const BINS = 120;

function colors() {
	const style = getComputedStyle(document.documentElement);
	return Object.fromEntries(['text', 'grid', 'growth', 'heap', 'wait', 'mark'].map((n) =>
		[n, style.getPropertyValue(`--${n}`).trim()]));
}

/** Values on a common time axis of BINS steps. */
function binned(extra, end) {
	const step = end / BINS;
	const times = Array.from({ length: BINS }, (_, i) => (i + 0.5) * step);
	const growths = new Array(BINS).fill(0);
	const heap = new Array(BINS).fill(null);
	const waiting = new Array(BINS).fill(null);
	const at = (t) => Math.min(BINS - 1, Math.max(0, Math.floor(t / step)));
	for (const [t] of extra.growths) growths[at(t)]++;
	for (const [t, live] of extra.heap) heap[at(t)] = live;
	for (const [t, n] of extra.waiting) waiting[at(t)] = Math.max(waiting[at(t)] || 0, n);
	return [times, growths, heap, waiting];
}

function shade(extra, color) {
	return (u) => {
		u.ctx.save();
		u.ctx.fillStyle = color;
		for (const [from, to] of extra.marking) {
			const left = u.valToPos(from, 'x', true);
			const width = Math.max(2, u.valToPos(to, 'x', true) - left);
			u.ctx.fillRect(left, u.bbox.top, width, u.bbox.height);
		}
		u.ctx.restore();
	};
}

export function timeline(extra, windowSeconds) {
	const box = el('section', { id: 'timeline', 'aria-label': 'Line of time' }, el('h2', {}, 'Line of time'));
	const end = windowSeconds || 10;
	if (!extra.growths.length && !extra.heap.length) {
		box.append(el('p', {}, extra.no_growths || 'Nothing was traced.'));
		return { box, draw() {} };
	}
	const target = el('div', {
		class: 'plot', role: 'img',
		'aria-label': `${extra.growths.length} growths, ${extra.marking.length} collections in ${end.toFixed(0)} seconds`,
	});
	box.append(target);
	const data = binned(extra, end);
	let plot = null;

	function draw() {
		const c = colors();
		const axis = { stroke: c.text, grid: { stroke: c.grid, width: 1 }, ticks: { stroke: c.grid } };
		if (plot) plot.destroy();
		plot = new uPlot({
			width: Math.max(280, target.clientWidth), height: 240,
			scales: { x: { time: false, range: [0, end] }, n: { range: (u, lo, hi) => [0, Math.max(1, hi * 1.1)] }, b: { range: (u, lo, hi) => [0, (hi || 1) * 1.1] } },
			axes: [
				{ ...axis, values: (u, v) => v.map((x) => `${x} s`) },
				{ ...axis, scale: 'n', size: 42, values: (u, v) => v.map((x) => (Number.isInteger(x) ? count(x) : '')) },
				{ ...axis, scale: 'b', side: 1, size: 66, grid: { show: false }, values: (u, v) => v.map(bytes) },
			],
			series: [
				{ label: 'time', value: (u, v) => (v === null ? '--' : `${v.toFixed(2)} s`) },
				{ label: 'growths', scale: 'n', stroke: c.growth, fill: c.growth, paths: uPlot.paths.bars({ size: [0.8, 12] }), points: { show: false } },
				{ label: 'heap', scale: 'b', stroke: c.heap, width: 2, spanGaps: true, points: { show: false }, value: (u, v) => (v === null ? '--' : bytes(v)) },
				{ label: 'waiting', scale: 'n', stroke: c.wait, width: 2, dash: [4, 3], spanGaps: true, points: { show: false } },
			],
			hooks: { drawClear: [shade(extra, c.mark)] },
		}, data, target);
	}
	return { box, draw };
}
