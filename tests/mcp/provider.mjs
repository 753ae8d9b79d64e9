// A real OpenID Connect provider on loopback, for tests: it signs its user in without asking, and everyone may register a client.
//
// Usage: node provider.mjs [--audience nudge] [--subject alice] [--email alice@example.com] [--time-zone Europe/Berlin]
//                          [--path /]… [--seconds 300] [--alg ES256|RS256] [--unverified]
//
// Prints one line of JSON, {"issuer","jwksUri","clientId"}, once it answers, and ends with its standard input.
//
// - `clientId` is a public client (PKCE, no secret) for pages: it may return to each --path of any port of 127.0.0.1 or localhost, and
//   after sign-out, too. Other clients register themselves (RFC 7591).
// - Access tokens are JWTs for the `resource` that was asked for (RFC 8707), or for --audience. Their claims are `email`,
//   `email_verified` and `zoneinfo`. They expire after --seconds.
// - Each sign-in comes with a refresh token, which changes with every use.
// - `login_hint` signs in another user: mallory@example.com is `mallory`. `prompt=none` works while there is a session, and is
//   `login_required` otherwise.
// - Pages of any origin may call it (CORS).
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { Provider, interactionPolicy } from 'oidc-provider';

const { values: options } = parseArgs({
  options: {
    audience: { type: 'string', default: 'nudge' },
    subject: { type: 'string', default: 'alice' },
    email: { type: 'string', default: 'alice@example.com' },
    'time-zone': { type: 'string', default: 'Europe/Berlin' },
    path: { type: 'string', multiple: true, default: ['/'] },
    seconds: { type: 'string', default: '300' },
    alg: { type: 'string', default: 'ES256' },
    unverified: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);

/** The resource of tokens for which none was asked. Resources are URIs; what the token says is the audience. */
const DEFAULT_RESOURCE = 'urn:nudge:default';
const CLIENT_ID = 'nudge-page';
const SCOPES = ['openid', 'email', 'profile', 'offline_access'];

function key(type, alg, parameters) {
  const jwk = generateKeyPairSync(type, parameters).privateKey.export({ format: 'jwk' });
  return { ...jwk, alg, use: 'sig', kid: alg };
}

function claimsOf(subject) {
  return {
    email: subject === options.subject ? options.email : `${subject}@example.com`,
    email_verified: !options.unverified,
    name: subject,
    zoneinfo: options['time-zone'],
  };
}

const places = options.path.flatMap((path) => [`http://127.0.0.1${path}`, `http://localhost${path}`]);

// A native client must ask on each sign-in (RFC 8252, section 8.6), but this one stands for a page, which signs in again silently.
const policy = interactionPolicy.base();
policy.get('consent').checks.remove('native_client_prompt');

const configuration = {
  clients: [
    {
      client_id: CLIENT_ID,
      application_type: 'native', // on loopback any port will do (RFC 8252, section 7.3)
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: places,
      post_logout_redirect_uris: places,
    },
  ],
  jwks: {
    keys: [
      key('ec', 'ES256', { namedCurve: 'P-256' }),
      key('rsa', 'RS256', { modulusLength: 2048 }),
    ],
  },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  scopes: SCOPES,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'zoneinfo'] },
  clientBasedCORS: () => true,
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { AccessToken: seconds, IdToken: seconds, RefreshToken: 86_400, Grant: 86_400, Session: 86_400, Interaction: 600 },
  findAccount: (_, subject) => ({ accountId: subject, claims: () => ({ sub: subject, ...claimsOf(subject) }) }),
  extraTokenClaims: (_, token) => token.accountId && claimsOf(token.accountId),
  interactions: { policy, url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!DOCTYPE html><title>Sign out</title>${form}<script>
          const form = document.getElementById('op.logoutForm');
          form.insertAdjacentHTML('beforeend', '<input type="hidden" name="logout" value="yes">');
          form.submit();
        </script>`;
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, __, oneOf) => oneOf ?? DEFAULT_RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        audience: resource === DEFAULT_RESOURCE ? options.audience : resource,
        scope: SCOPES.join(' '),
        accessTokenTTL: seconds,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: options.alg } },
      }),
    },
  },
};

/** Signs the user in, and agrees to everything that the client asks for. */
async function interact(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const accountId = params.login_hint?.split('@')[0] || options.subject;
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const failed = (what) => (_, error) => console.error(`${what}: ${error.error_description ?? error.stack}`);
  provider.on('server_error', failed('server_error'));
  provider.on('authorization.error', failed('authorization.error'));
  provider.on('grant.error', failed('grant.error'));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    interact(provider, request, response).catch((error) => {
      console.error(error);
      response.writeHead(400).end(String(error));
    });
  });
  console.log(JSON.stringify({ issuer, jwksUri: `${issuer}/jwks`, clientId: CLIENT_ID }));
});
process.stdin.resume().on('end', () => process.exit(0));
