// The OAuth clients of both official TypeScript SDKs against a real provider: from a 401 to a call of a tool.
//
// MCP_URL is the address of /mcp, and OIDC_ISSUER that of provider.mjs, which the server was started with (run.sh).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as v2 from '@modelcontextprotocol/client';
import { UnauthorizedError as UnauthorizedV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { MCP_URL, OIDC_ISSUER } = process.env;
const REDIRECT = 'http://127.0.0.1:1/callback'; // never opened: the code is taken from the redirect
const info = { name: 'nudge-mcp-tests', version: '1.0.0' };
const skip = OIDC_ISSUER ? false : 'no provider: start the server as run.sh does';

const sdks = {
  'sdk 1': { Client: ClientV1, Transport: TransportV1, Unauthorized: UnauthorizedV1 },
  'client 2': { Client: v2.Client, Transport: v2.StreamableHTTPClientTransport, Unauthorized: v2.UnauthorizedError },
};

/** What a client keeps: in memory here. */
class Memory {
  redirectUrl = REDIRECT;
  clientMetadata = {
    client_name: 'Nudge tests',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  };

  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.client = client;
  }
  tokens() {
    return this.saved;
  }
  saveTokens(tokens) {
    this.saved = tokens;
  }
  redirectToAuthorization(url) {
    this.authorization = url;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
}

/** What a browser does: follows redirects with cookies, until one leads back to the client. */
async function signIn(url) {
  const cookies = new Map();
  let next = new URL(url);
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(next, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = answer.headers.get('location');
    assert.ok(location, `${next} answered ${answer.status}: ${await answer.text()}`);
    next = new URL(location, next);
    if (next.href.startsWith(REDIRECT)) return next.searchParams;
  }
  throw new Error('too many redirects');
}

function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

const rest = (token) => fetch(new URL('/api/v1/tasks', MCP_URL), { headers: { authorization: `Bearer ${token}` } });

for (const [name, { Client, Transport, Unauthorized }] of Object.entries(sdks)) {
  describe(name, { skip }, () => {
    const memory = new Memory();
    const transport = () => new Transport(new URL(MCP_URL), { authProvider: memory });

    test('a client without a token is sent to the provider', async () => {
      await assert.rejects(new Client(info).connect(transport()), Unauthorized);
      const { origin, searchParams } = memory.authorization;
      assert.equal(origin, OIDC_ISSUER);
      assert.equal(searchParams.get('resource'), MCP_URL);
      assert.equal(searchParams.get('code_challenge_method'), 'S256');
      assert.match(searchParams.get('scope'), /openid.*email/);
    });

    test('it comes back with a token and calls a tool', async () => {
      const back = await signIn(memory.authorization);
      const finishing = transport();
      await (finishing.finishAuth.length === 1 && Transport === TransportV1
        ? finishing.finishAuth(back.get('code'))
        : finishing.finishAuth(back));
      const { sub, aud, iss } = claims(memory.saved.access_token);
      assert.deepEqual({ sub, aud, iss }, { sub: 'alice', aud: MCP_URL, iss: OIDC_ISSUER });
      const client = new Client(info);
      await client.connect(transport());
      const added = await client.callTool({ name: 'add_task', arguments: { title: `By ${name}` } });
      assert.equal(added.isError, false, JSON.stringify(added));
      const found = await client.callTool({ name: 'search_tasks', arguments: { query: `By ${name}` } });
      assert.equal(found.structuredContent.tasks[0].title, `By ${name}`);
      await client.close();
    });

    test('its token is for nothing but /mcp', async () => {
      const answer = await rest(memory.saved.access_token);
      assert.equal(answer.status, 401);
      const metadata = new URL('/.well-known/oauth-protected-resource', MCP_URL);
      assert.equal(
        answer.headers.get('www-authenticate'),
        `Bearer error="invalid_token", resource_metadata="${metadata}"`,
      );
    });

    test('a token that is refused is renewed without a person', async () => {
      const { refresh_token } = memory.saved;
      assert.ok(refresh_token);
      memory.saved = { ...memory.saved, access_token: `${memory.saved.access_token}x` };
      memory.authorization = undefined;
      const client = new Client(info);
      await client.connect(transport());
      const { tools } = await client.listTools();
      assert.ok(tools.length >= 20);
      assert.equal(memory.authorization, undefined);
      assert.notEqual(memory.saved.refresh_token, refresh_token);
      await client.close();
    });
  });
}

test('the metadata of each resource names the provider', { skip }, async () => {
  for (const [path, resource] of [
    ['/.well-known/oauth-protected-resource/mcp', MCP_URL],
    ['/.well-known/oauth-protected-resource', new URL(MCP_URL).origin],
  ]) {
    const answer = await fetch(new URL(path, MCP_URL));
    assert.equal(answer.status, 200);
    const metadata = await answer.json();
    assert.equal(metadata.resource, resource);
    assert.deepEqual(metadata.authorization_servers, [OIDC_ISSUER]);
  }
});
