// A certified OpenID Connect provider with a few people, for tests: node server.mjs PORT REDIRECT AFTER TOLD
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  alice: { email: 'alice@example.org', email_verified: true, name: 'Alice A.', groups: ['team-research'] },
  dan: { email: 'dan@example.org', email_verified: true, name: 'Dan D.', groups: ['team-check', 'unknown'] },
  eve: { email: 'alice@example.org', email_verified: false, name: 'Eve', groups: ['team-research'] },
  alison: { email: 'alice@example.org', email_verified: true, name: 'Alison', groups: ['team-research'] }, // after Alice left
  frank: { email: 'frank@example.org', email_verified: true, name: 'Frank', groups: ['unknown'] },
};
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portal', client_secret: 'portal-secret-0123456789', application_type: 'web',
      redirect_uris: process.argv[3].split(','),
      post_logout_redirect_uris: process.argv[4].split(','),
      ...(process.argv[5] ? { backchannel_logout_uri: process.argv[5] } : {}),
    },
    {
      client_id: 'tools', token_endpoint_auth_method: 'none', application_type: 'native',
      redirect_uris: ['http://127.0.0.1/answer'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
  ],
  acrValues: ['two'],
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  fetch: (url, { dispatcher: _, ...options }) => fetch(url, options), // its own refuses addresses of this machine
  cookies: { keys: ['only for tests'] },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: {
      enabled: true,
      userCodeInputSource(ctx, form) { ctx.body = form; },
      userCodeConfirmSource(ctx, form) { ctx.body = form; },
      successSource(ctx) { ctx.body = 'typed in'; },
    },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource(ctx, form) { ctx.body = form; } },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ scope: '', audience: resource.replace('https://', ''), accessTokenFormat: 'jwt', accessTokenTTL: 600 }),
    },
  },
  extraTokenClaims: (ctx, token) => ({ ...people[token.accountId], amr: ['pwd', 'otp'] }),
  interactions: { url: (ctx, interaction) => `/who/${interaction.uid}` },
  async findAccount(ctx, id) {
    return people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) };
  },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile groups');
    for (const resource of [].concat(ctx.oidc.params.resource ?? [])) grant.addResourceScope(resource, '');
    await grant.save();
    return grant;
  },
});
const answer = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/who/')) return answer(request, response);
  if (request.method === 'GET') return response.end('who');
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const { prompt, lastSubmission } = await provider.interactionDetails(request, response);
  const amr = form.get('amr')?.split(',').filter(Boolean);
  const result = form.has('deny')
    ? { error: 'access_denied', error_description: 'nobody was let in' }
    : prompt.name === 'consent' ? { ...lastSubmission, consent: {} } // programs on a machine are asked about each time
    : { login: { accountId: form.get('who'), ...(amr?.length ? { amr } : {}), ...(form.has('acr') ? { acr: form.get('acr') } : {}) } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}).listen(port, '127.0.0.1', () => console.log('ready'));
