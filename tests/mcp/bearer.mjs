// A proxy on loopback that adds a bearer token: the conformance tests cannot be told one.
//
// Usage: node bearer.mjs URL TOKEN          prints its own address, and ends with its standard input.
import { createServer, request } from 'node:http';

const [url, token] = process.argv.slice(2);
const target = new URL(url);

const proxy = createServer((incoming, answer) => {
  const outgoing = request(
    {
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, authorization: `Bearer ${token}` },
    },
    (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    },
  );
  outgoing.on('error', (error) => answer.writeHead(502).end(String(error)));
  incoming.pipe(outgoing);
});

proxy.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${proxy.address().port}${target.pathname}`);
});
process.stdin.resume().on('end', () => process.exit(0));
