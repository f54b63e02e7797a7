// The client that the conformance suite of MCP starts: lists and calls tools of the server at the last argument, with the
// binary in AGENT_TEST_BINARY.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'mcp-client-'));
const config = join(folder, 'agent.toml');
writeFileSync(config, `[[tools.mcp]]\nname = "suite"\nurl = "${process.argv.at(-1)}"\n`);

function tools(...parameters) {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  return execFileSync(process.env.AGENT_TEST_BINARY, ['tools', ...parameters, '--config', config], options);
}

try {
  const listed = JSON.parse(tools('list', '--json'));
  const given = { add_numbers: { a: 5, b: 3 } };
  for (const { name } of listed) {
    tools('call', name, '--arguments', JSON.stringify(given[name] ?? {}));
  }
} finally {
  rmSync(folder, { recursive: true });
}
