// words.js - numbers as the text page writes them, and elements made of text alone.
//
// Whatever comes from a target is text: it is set as textContent, never as markup.

export function el(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value !== null && value !== undefined) e.setAttribute(key, value);
	}
	for (const child of children) {
		if (child !== null && child !== undefined) e.append(child);
	}
	return e;
}

export function count(n) {
	return n === null || n === undefined ? '?' : Math.round(n).toLocaleString('en-US');
}

export function bytes(n) {
	if (n === null || n === undefined) return '?';
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
	let i = 0;
	let v = Math.abs(n);
	while (v >= 1000 && i < units.length - 1) {
		v /= 1000;
		i++;
	}
	const text = i === 0 || v >= 10 ? v.toFixed(0) : v.toFixed(1);
	return `${n < 0 ? '-' : ''}${text} ${units[i]}`;
}

export function percent(share) {
	return share === null || share === undefined ? '?' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function seconds(s) {
	if (s === null || s === undefined) return '?';
	if (s >= 120) return `${(s / 60).toFixed(0)} min`;
	return `${s.toFixed(s < 10 ? 1 : 0)} s`;
}

function fileName(path) {
	return path ? path.slice(path.lastIndexOf('/') + 1) : null;
}

/** "main.(*Cart).Add cart.go:51", the path of the file beside it as a title. */
export function call(c) {
	if (!c || !c.function) return el('span', {}, '?');
	const place = c.file ? ` ${fileName(c.file)}${c.line ? `:${c.line}` : ''}` : '';
	return el('span', { title: c.file ? `${c.file}:${c.line}` : null },
		c.function, el('span', { class: 'place' }, place));
}

/** The program's own innermost call of a stack. */
export function ownCall(stack) {
	return (stack || []).find((c) => !c.runtime) || (stack || [])[0] || null;
}
