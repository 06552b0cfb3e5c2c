#!/usr/bin/env node
// Builds dist/ from src/: the files of assets/ get a hash of their content into their names, and pages refer to them by it. So they can be
// cached for ever, a new version never writes over an old one, and a page that was loaded a minute ago still finds its own files.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';

export function build(source, target, version) {
  rmSync(target, { recursive: true, force: true });
  cpSync(source, target, { recursive: true });
  const assets = join(target, 'assets');
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets, { recursive: true });
  const names = new Map();
  for (const name of readdirSync(join(source, 'assets')).sort()) {
    let content = readFileSync(join(source, 'assets', name));
    if (name.endsWith('.js')) content = Buffer.from(content.toString('utf8').replaceAll('__VERSION__', version));
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
    const hashed = `${name.slice(0, -extname(name).length)}-${hash}${extname(name)}`;
    writeFileSync(join(assets, hashed), content);
    names.set(name, hashed);
  }
  for (const page of readdirSync(target).filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(join(target, page), 'utf8').replaceAll(/assets\/([\w.-]+)/g, (_, name) => {
      if (!names.has(name)) throw new Error(`${page}: there is no assets/${name}`);
      return `assets/${names.get(name)}`;
    });
    writeFileSync(join(target, page), html);
  }
  return names;
}

if (process.argv[1] === import.meta.filename) build('src', 'dist', process.env.VERSION ?? 'dev');
