// flame.js - the stacks that grew maps, as a flame graph; width is bytes that growths allocated.
import { select } from 'd3-selection';
import { flamegraph } from 'd3-flame-graph';
import { bytes, el } from './words.js';

/** Stacks come innermost first. */
function tree(stacks) {
	const root = { name: 'growths', value: 0, children: [] };
	for (const { calls, bytes: weight } of stacks) {
		let node = root;
		node.value += weight;
		for (let i = calls.length - 1; i >= 0; i--) {
			let next = node.children.find((c) => c.name === calls[i]);
			if (!next) {
				next = { name: calls[i], value: 0, children: [] };
				node.children.push(next);
			}
			next.value += weight;
			node = next;
		}
	}
	return root;
}

export function flame(extra) {
	const box = el('section', { id: 'flame', 'aria-label': 'Who grew maps' }, el('h2', {}, 'Who grew maps'));
	if (!extra.stacks.length) {
		box.append(el('p', {}, extra.no_growths || 'No growth was traced whose bytes are known.'));
		return { box, draw() {} };
	}
	const details = el('p', { class: 'status', role: 'status' }, 'width: bytes that growths allocated');
	const target = el('div', { class: 'flame', role: 'img', 'aria-label': 'Flame graph of the stacks that grew maps' });
	const reset = el('button', { type: 'button' }, 'whole graph');
	const root = tree(extra.stacks);
	let chart = null;

	reset.addEventListener('click', () => chart && chart.resetZoom());
	box.append(reset, target, details);
	function draw() {
		target.replaceChildren();
		chart = flamegraph().width(Math.max(260, target.clientWidth)).cellHeight(20).minFrameSize(2)
			.sort(true).title('').tooltip(false).transitionDuration(0)
			.label((d) => `${d.data.name}: ${bytes(d.value)} (${((100 * d.value) / (root.value || 1)).toFixed(1)} %)`)
			.onHover((d) => { details.textContent = `${d.data.name}: ${bytes(d.value)}`; })
			.setColorHue('warm');
		select(target).datum(root).call(chart);
	}
	return { box, draw };
}
