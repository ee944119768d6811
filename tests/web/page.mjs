// page.mjs PAGE.html... - drives pages in a headless Chromium, as a reader would.
//
// The first page is a real one with findings; others only have to be harmless: hostile names are
// text, nothing is fetched, nothing is wider than a phone.
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const packages = process.env.PAGE_PACKAGES;
const shots = process.env.PAGE_SHOTS;
const { chromium } = createRequire(join(packages, 'package.json'))('playwright-core');
let passed = 0;
let failed = 0;

function browserPath() {
	for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
		for (const folder of (process.env.PATH || '').split(delimiter)) {
			try {
				accessSync(join(folder, name), constants.X_OK);
				return join(folder, name);
			} catch { /* the next */ }
		}
	}
	return null;
}

async function test(name, fn) {
	try {
		await fn();
		passed++;
		console.log(`ok   page/${name}`);
	} catch (e) {
		failed++;
		console.log(`FAIL page/${name}: ${e.message}`);
	}
}

function require(condition, text) {
	if (!condition) throw new Error(text);
}

const found = browserPath();
if (!found) {
	console.log('skip page: there is no Chromium');
	console.log('0 passed, 0 failed, 1 skipped');
	process.exit(0);
}
const browser = await chromium.launch({ executablePath: found, args: ['--no-sandbox', '--disable-gpu'] });

async function open(file, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
	const page = await context.newPage();
	const noise = [];
	page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') noise.push(m.text()); });
	page.on('pageerror', (e) => noise.push(String(e)));
	page.on('request', (r) => { if (!r.url().startsWith('file:') && !r.url().startsWith('data:')) noise.push(`fetches ${r.url()}`); });
	await page.goto(pathToFileURL(resolve(file)).href);
	await page.waitForSelector('main');
	return { page, noise, close: () => context.close() };
}

const texts = (page, selector) => page.$$eval(selector, (l) => l.map((e) => e.textContent));
const real = process.argv[2];

await test('opens without a word on the console, and fetches nothing', async () => {
	const { page, noise, close } = await open(real);
	require((await texts(page, 'h2')).length >= 5, 'headings are missing');
	require((await page.$$('article.finding')).length > 0, 'no finding is shown');
	require(!noise.length, noise.join('; '));
	if (shots) await page.screenshot({ path: `${shots}/light.png`, fullPage: true });
	await close();
});

await test('sorts by each header, both ways', async () => {
	const { page, close } = await open(real);
	const buttons = await page.$$('#maps th button');
	require(buttons.length >= 6, 'headers are missing');
	for (let i = 0; i < buttons.length; i++) {
		const seen = [];
		for (let k = 0; k < 2; k++) {
			await buttons[i].click();
			seen.push(await page.$eval(`#maps th:nth-child(${i + 1})`, (e) => e.getAttribute('aria-sort')));
		}
		require(seen.sort().join() === 'ascending,descending', `column ${i} is sorted ${seen}`);
	}
	// Numbers are sorted as numbers: by maps, descending.
	await page.click('#maps th:nth-child(3) button');
	const values = (await texts(page, '#maps td:nth-child(3)')).map((t) => Number(t.replaceAll(',', '')));
	const ordered = [...values].sort((a, b) => b - a);
	require(values.join() === ordered.join() || values.join() === ordered.reverse().join(), 'the order is not that of numbers');
	await close();
});

await test('filters as one types', async () => {
	const { page, close } = await open(real);
	const all = (await page.$$('#maps tbody tr')).length;
	const first = (await texts(page, '#maps tbody td:nth-child(1)'))[0];
	require(all > 1, 'there are no rows');
	await page.fill('#maps-filter', first.slice(0, 12));
	const some = (await page.$$('#maps tbody tr')).length;
	require(some >= 1 && some <= all, `${some} of ${all} rows`);
	await page.fill('#maps-filter', 'no such owner at all');
	require((await page.$$('#maps tbody tr')).length === 0, 'rows are left over');
	require((await texts(page, '#maps .status'))[0].startsWith('0 of'), 'the count is not said');
	await close();
});

await test('says values under the pointer', async () => {
	const { page, close } = await open(real);
	const plot = await page.$('#timeline .u-over');
	if (plot) {
		await plot.hover({ position: { x: 200, y: 60 } });
		const legend = (await texts(page, '#timeline .u-legend'))[0];
		require(/\d s/.test(legend), `the legend says ${legend}`);
	}
	const frame = await page.$('#flame rect');
	if (frame) {
		const box = await frame.boundingBox();
		await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
		require(/B$/.test((await texts(page, '#flame .status'))[0]), 'the flame graph says nothing');
	}
	require(plot || frame || (await texts(page, '#timeline p')).length, 'there is neither a line nor a reason');
	await close();
});

await test('is dark where the reader wants it', async () => {
	const { page, close } = await open(real, { colorScheme: 'dark' });
	const back = await page.$eval('body', (e) => getComputedStyle(e).backgroundColor);
	const [r, g, b] = back.match(/\d+/g).map(Number);
	require(r + g + b < 150, `the background is ${back}`);
	if (shots) await page.screenshot({ path: `${shots}/dark.png`, fullPage: true });
	await close();
});

for (const file of process.argv.slice(2)) {
	const name = file.slice(file.lastIndexOf('/') + 1);

	await test(`fits a phone: ${name}`, async () => {
		const { page, noise, close } = await open(file, { viewport: { width: 360, height: 740 } });
		const width = await page.evaluate(() => document.documentElement.scrollWidth);
		if (shots) await page.screenshot({ path: `${shots}/narrow-${name}.png`, fullPage: true });
		require(width <= 360, `it is ${width} wide`);
		require(!noise.length, noise.join('; '));
		await close();
	});
	await test(`names every control: ${name}`, async () => {
		const { page, close } = await open(file);
		const nameless = await page.$$eval('button, input, [role=img]', (l) => l.filter((e) =>
			!(e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.outerHTML));
		require(!nameless.length, nameless.join(' '));
		await close();
	});
	await test(`makes no markup of names: ${name}`, async () => {
		const { page, close } = await open(file);
		const strange = await page.$$eval('img, iframe, object, embed, a, form, script:not([type])', (l) => l.length);
		require(strange <= 1, `${strange} elements that nobody made`);
		require(await page.evaluate(() => window.hacked === undefined), 'a name was run as script');
		await close();
	});
}

await browser.close();
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
