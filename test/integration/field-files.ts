// The two files that operators have in the field, word for word.

export const FIELD_SERVICE = `kind: Service
apiVersion: v1
metadata: { name: snake-demo-svc4, namespace: parasaus }
spec:
  ports:
  - { nodePort: 40796, port: 40796, protocol: TCP, name: dcmp-svc4, type: NodePort }
`;

export const FIELD_ENDPOINTS = `kind: Endpoints
apiVersion: v1
metadata: { name: snake-demo-svc4, namespace: parasaus }
annotations: { calledSource: "kubectl-client-side-apply", healthCheckType: "http" }
subsets:
- addresses: [{ ip: 10.100.1.53 }]
  ports: [{ port: 8090, name: dcmp-svc4 }]
- addresses: [{ ip: 10.100.1.77 }]
  ports: [{ port: 30253, name: dcmp-svc4 }]
`;
