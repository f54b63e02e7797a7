// The client that the conformance suite of MCP starts: logs in where the server wants it, and lists and calls tools of the
// server at the last argument, with the binary in AGENT_TEST_BINARY.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_CONTEXT: given = '{}' } = process.env;
const context = JSON.parse(given);
const folder = mkdtempSync(join(tmpdir(), 'mcp-client-'));
const config = join(folder, 'agent.toml');
writeFileSync(config, `[[tools.mcp]]\nname = "suite"\nurl = "${process.argv.at(-1)}"\n${auth()}`);

// What the suite gives a client beforehand, or its document, which authorization servers may take as its id.
function auth() {
  if (!scenario.startsWith('auth/')) return '';
  const grant = scenario.includes('client-credentials') ? 'client_credentials' : 'authorization_code';
  const id = context.client_id ?? 'https://conformance-test.local/client-metadata.json';
  const secret = context.client_secret ? ', client_secret_env = "SECRET"' : '';
  const issuer = context.issuer ? `, issuer = "${context.issuer}"` : '';
  return `auth = { grant = "${grant}", client_id = "${id}"${secret}${issuer} }\n`;
}

// Runs a command; `seen` gets what it has printed so far.
function tools(parameters, seen = () => {}) {
  const environment = { ...process.env, HOME: folder, XDG_DATA_HOME: '', SECRET: context.client_secret ?? '' };
  const options = { env: environment, stdio: ['ignore', 'pipe', 'pipe'] };
  const program = spawn(process.env.AGENT_TEST_BINARY, ['tools', ...parameters, '--config', config], options);
  const ended = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    program[stream].setEncoding('utf8').on('data', (text) => {
      ended[stream] += text;
      if (stream === 'stdout') seen(ended.stdout);
    });
  }
  return new Promise((resolve) => program.on('close', (code) => resolve({ ...ended, code })));
}

// Logs in with a browser that follows every redirect.
async function login() {
  let browser;
  const ended = await tools(['login', 'suite'], (text) => {
    browser ??= text.match(/^http\S+(?=\n)/m)?.map((url) => fetch(url));
  });
  await Promise.all(browser ?? []);
  if (ended.code !== 0) throw new Error(ended.stderr);
}

// Runs a command that may need a login first, and another one if the first has too few scopes.
async function withLogin(...parameters) {
  for (let logins = 0; ; logins++) {
    const ended = await tools(parameters);
    if (ended.code === 0) return ended.stdout;
    if (logins === 2 || !ended.stderr.includes('agent-server tools login suite')) throw new Error(ended.stderr);
    await login();
  }
}

try {
  const listed = JSON.parse(await withLogin('list', '--json'));
  const values = { add_numbers: { a: 5, b: 3 } };
  // The server of this scenario has a tool that it cannot call.
  const callable = scenario === 'json-schema-ref-no-deref' ? [] : listed;
  const calls = context.toolCalls ?? callable.map(({ name }) => ({ name, arguments: values[name] ?? {} }));
  for (const { name, arguments: parameters } of calls) {
    await withLogin('call', name, '--arguments', JSON.stringify(parameters));
  }
} finally {
  rmSync(folder, { recursive: true });
}
