// The official TypeScript clients: version 1, which begins with initialize, and version 2, which needs no handshake.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as v2 from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { MCP_URL, MCP_TOKEN } = process.env;
const info = { name: 'nudge-mcp-tests', version: '1.0.0' };
const url = () => new URL(MCP_URL);
const requestInit = { headers: { authorization: `Bearer ${MCP_TOKEN}` } };

const connections = {
  'sdk 1, with initialize': async () => {
    const client = new ClientV1(info);
    await client.connect(new TransportV1(url(), { requestInit }));
    return client;
  },
  'client 2, with initialize': async () => {
    const client = new v2.Client(info, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new v2.StreamableHTTPClientTransport(url(), { requestInit }));
    return client;
  },
  'client 2, without handshake': async () => {
    const client = new v2.Client(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await client.connect(new v2.StreamableHTTPClientTransport(url(), { requestInit }));
    return client;
  },
  'client 2, as it finds out': async () => {
    const client = new v2.Client(info, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new v2.StreamableHTTPClientTransport(url(), { requestInit }));
    return client;
  },
};

for (const [name, connect] of Object.entries(connections)) {
  describe(name, () => {
    let client;
    before(async () => {
      client = await connect();
    });
    after(() => client?.close());
    const call = (tool, args) => client.callTool({ name: tool, arguments: args });

    test('knows what it talks to', () => {
      assert.equal(client.getServerVersion().name, 'nudge');
      assert.ok(client.getServerCapabilities().tools);
      assert.match(client.getInstructions(), /tasks/);
    });

    test('lists twenty tools', async () => {
      const { tools } = await client.listTools();
      assert.equal(tools.length, 20);
    });

    // Both clients hold structured answers against the output schema and throw when they do not fit.
    test('takes a task through its life', async () => {
      await client.listTools();
      const added = await call('add_task', { title: 'Pay rent', due_date: '2199-12-01T09:00', priority: 'high' });
      assert.equal(added.isError, false, JSON.stringify(added));
      assert.match(added.content[0].text, /^Added “Pay rent”/);
      const task_id = added.structuredContent.task.id;
      const reminded = await call('set_reminder', { task_id, remind_before_minutes: 60 });
      assert.equal(reminded.structuredContent.task.reminders.length, 1);
      const found = await call('search_tasks', { query: 'rent' });
      assert.ok(found.structuredContent.tasks.some((task) => task.id === task_id));
      const cleared = await call('update_task', { task_id, due_date: '' });
      assert.equal(cleared.structuredContent.task.due_date, null);
      const completed = await call('complete_task', { task_id });
      assert.equal(completed.structuredContent.task.status, 'completed');
      const deleted = await call('delete_task', { task_id });
      assert.equal(deleted.structuredContent.deleted, true);
    });

    test('is told what is wrong in a result', async () => {
      await client.listTools();
      const refused = await call('get_task', { task_id: 'no such task' });
      assert.equal(refused.isError, true);
      assert.equal(refused.structuredContent.code, 'TASK_NOT_FOUND');
    });

    test('is told that there is no such tool in an error', async () => {
      await assert.rejects(call('drop_tasks', {}), /unknown tool/);
    });
  });
}

test('without a token there is nothing', async () => {
  const answer = await fetch(MCP_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
  assert.equal(answer.status, 401);
});
