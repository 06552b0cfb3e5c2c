// What the delivery relies on: hashed names that change with the content, pages that find them.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from '../scripts/build.mjs';

const out = () => join(mkdtempSync(join(tmpdir(), 'site-')), 'dist');

test('pages refer to assets by hashed names that exist', () => {
  const target = out();
  build('src', target, 'abc1234');
  const html = readFileSync(join(target, 'index.html'), 'utf8');
  const named = [...html.matchAll(/assets\/([\w.-]+)/g)].map((match) => match[1]).sort();
  assert.deepEqual(named, readdirSync(join(target, 'assets')).sort());
  for (const name of named) assert.match(name, /-[0-9a-f]{12}\.\w+$/);
});

test('the version is in the script, and changes its name', () => {
  const [one, two] = ['1', '2'].map((version) => build('src', out(), version).get('main.js'));
  assert.notEqual(one, two);
});

test('a page that names a missing file stops the build', () => {
  const source = mkdtempSync(join(tmpdir(), 'site-'));
  mkdirSync(join(source, 'assets'));
  writeFileSync(join(source, 'index.html'), '<script src="assets/gone.js"></script>');
  assert.throws(() => build(source, out(), '1'), /gone\.js/);
});
