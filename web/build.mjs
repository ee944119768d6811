// build.mjs OUT - one file of script and one of style, and both as bytes in C for the tool to hold.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const out = process.argv[2];

for (const [entry, name] of [['src/main.js', 'page.js'], ['src/style.css', 'page.css']]) {
	await build({
		entryPoints: [entry],
		outfile: `${out}/${name}`,
		bundle: true,
		minify: true,
		legalComments: 'inline',
		charset: 'ascii',
		target: ['es2020'],
		format: 'iife',
		logLevel: 'warning',
	});
}

let c = '#include <stddef.h>\n';

for (const [file, name] of [['page.js', 'ms_page_js'], ['page.css', 'ms_page_css']]) {
	const bytes = readFileSync(`${out}/${file}`);
	c += `extern const char ${name}[];\nextern const size_t ${name}_size;\n`;
	c += `const char ${name}[] = {${bytes.join(',')}};\nconst size_t ${name}_size = sizeof(${name});\n`;
}
writeFileSync(`${out}/page_assets.c`, c);
