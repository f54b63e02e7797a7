// The client that the conformance suite of MCP starts: logs in if the scenario is about that, then lists and calls tools of the
// server at the last argument, with the binary in AGENT_TEST_BINARY.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const binary = process.env.AGENT_TEST_BINARY;
const folder = mkdtempSync(join(tmpdir(), 'mcp-client-'));
const config = join(folder, 'agent.toml');
const environment = { ...process.env, AGENT_SERVER_DATA_DIR: folder, SECRET: context.client_secret ?? '' };

const metadata = 'https://conformance-test.local/client-metadata.json';
const server = [`name = "suite"`, `url = "${process.argv.at(-1)}"`];
if (scenario.includes('client-credentials')) {
  server.push(`auth = { kind = "client_credentials", client_id = "${context.client_id}", client_secret_env = "SECRET" }`);
} else if (scenario.startsWith('auth/')) {
  const client = context.client_id
    ? `, client_id = "${context.client_id}", client_secret_env = "SECRET"`
    : `, client_metadata_url = "${metadata}"`;
  server.push(`auth = { kind = "login"${client} }`);
}
writeFileSync(config, `[[tools.mcp]]\n${server.join('\n')}\n`);

function tools(...parameters) {
  const options = { encoding: 'utf8', stdio: 'pipe', env: environment };
  return execFileSync(binary, ['tools', ...parameters, '--config', config], options);
}

// Opens the address that the command prints, as a browser does.
async function login(scopes = []) {
  const options = { stdio: ['ignore', 'inherit', 'pipe'], env: environment };
  const command = spawn(binary, ['tools', 'login', 'suite', ...scopes, '--config', config], options);
  const ended = new Promise((resolve) => command.on('exit', resolve));
  for await (const line of createInterface(command.stderr)) {
    console.error(line);
    if (line.startsWith('http')) {
      await fetch(line);
    }
  }
  const code = await ended;
  if (code !== 0) {
    throw new Error(`the login ended with ${code}`);
  }
}

// A server that wants more than the login has given says so, and the command says to log in again.
async function withLogin(work) {
  try {
    return work();
  } catch (error) {
    if (!logsIn) {
      throw error;
    }
    const scope = /with the scope (\S+)/.exec(error.stderr)?.[1];
    await login(scope ? ['--scope', scope] : []);
    return work();
  }
}

const logsIn = server.some((line) => line.includes('kind = "login"'));
try {
  if (logsIn) {
    await login();
  }
  const listed = JSON.parse(await withLogin(() => tools('list', '--json')));
  const schema = listed.find(({ name }) => name === 'json_schema_2020_12_tool')?.parameters;
  const given = { add_numbers: { a: 5, b: 3 }, json_schema_echo: { schema } };
  const calls = context.toolCalls ?? listed.map(({ name }) => ({ name, arguments: given[name] ?? {} }));
  for (const { name, arguments: parameters } of calls) {
    const call = () => tools('call', name, '--arguments', JSON.stringify(parameters));
    // A tool that fails is a result like others.
    await withLogin(call).catch((error) => console.error(error.message));
  }
} finally {
  rmSync(folder, { recursive: true });
}
