import { Account, Right } from "./accounts";

/**
 * Configuration of the HAProxy in front of the registry, which has TLS, knows the accounts and lets each do what it may. (The
 * registry's own htpasswd knows only who somebody is.)
 */
export function doorConfig(accounts: readonly Account[]): string {
  return `global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 10m
  timeout server 10m
userlist accounts
${accounts.map(({ username, password }, i) => `  group g${i}\n  user ${username} insecure-password ${password} groups g${i}`).join("\n")}
frontend door
  bind :5000 ssl crt /var/lib/rehearsal/tls.pem
  http-after-response set-header Docker-Distribution-Api-Version registry/2.0
  http-request set-header X-Forwarded-Proto https
  http-request auth realm rehearsal unless { http_auth(accounts) }
  # To see whether one may log in at all.
  http-request allow if { path /v2/ }
  acl reading method GET HEAD
${accounts.flatMap(({ rights }, i) => rights.map((right) => rule(i, right))).join("\n")}
  http-request return status 403 content-type application/json string '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
  default_backend registry
backend registry
  server registry 127.0.0.1:5001
`;
}

function rule(account: number, { repositories, action }: Right): string {
  const names = repositories.endsWith("*")
    ? `${escaped(repositories.slice(0, -1))}.+`
    : escaped(repositories);
  return `  http-request allow if { http_auth_group(accounts) g${account} } ${action === "read" ? "reading" : "!reading"} { path_reg ^/v2/${names}/(manifests|blobs|tags)/ }`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.]/g, "\\\\.");
}
