# Seconds of a training step in Debian's PyTorch with OpenBLAS (python3-torch, libopenblas0-pthread): forward, backward, AdamW, 8 x 256 tokens of a Qwen2 with 23 million
# parameters in float32. PyTorch 1.13 has no fused attention, so it is written out.
#
# Its products of batches of matrices do not go through OpenBLAS, so attention is products of two matrices, head by head, which do.
#
#   /usr/bin/python3 torch_training.py THREADS      a step for each line read, its seconds on a line
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

D, LAYERS, HEADS, KV, SIZE, FF, V, B, T = 512, 8, 8, 2, 64, 1408, 512, 8, 256


def norm(x, w):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * w


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.Parameter(torch.ones(D)), nn.Parameter(torch.ones(D))
        self.q, self.k, self.v = nn.Linear(D, HEADS * SIZE), nn.Linear(D, KV * SIZE), nn.Linear(D, KV * SIZE)
        self.o = nn.Linear(HEADS * SIZE, D, bias=False)
        self.gate, self.up, self.down = nn.Linear(D, FF, bias=False), nn.Linear(D, FF, bias=False), nn.Linear(FF, D, bias=False)

    def forward(self, x, cos, sin, mask):
        h = norm(x, self.n1)

        def heads(y, n):
            return y.view(B, T, n, SIZE).transpose(1, 2)

        def turn(y):
            return y * cos + y.roll(SIZE // 2, -1) * sin

        q, k, v = turn(heads(self.q(h), HEADS)), turn(heads(self.k(h), KV)), heads(self.v(h), KV)
        k, v = k.repeat_interleave(HEADS // KV, 1), v.repeat_interleave(HEADS // KV, 1)
        q, k, v = (y.reshape(B * HEADS, T, SIZE).unbind(0) for y in (q, k, v))
        scores = torch.stack([torch.mm(q[i], k[i].t()) for i in range(B * HEADS)])
        weights = torch.softmax(scores / SIZE ** 0.5 + mask, -1).unbind(0)
        a = torch.stack([torch.mm(weights[i], v[i]) for i in range(B * HEADS)]).view(B, HEADS, T, SIZE)
        x = x + self.o(a.transpose(1, 2).reshape(B, T, HEADS * SIZE))
        h = norm(x, self.n2)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(V, D) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(D))
        angle = torch.outer(torch.arange(T).float(), 1e6 ** (-torch.arange(0, SIZE, 2).float() / SIZE))
        self.cos = torch.cat([angle.cos(), angle.cos()], -1)
        self.sin = torch.cat([-angle.sin(), angle.sin()], -1)
        self.mask = torch.full((T, T), float("-inf")).triu(1)

    def forward(self, ids):
        x = self.embedding[ids]
        for layer in self.layers:
            x = layer(x, self.cos, self.sin, self.mask)
        return norm(x, self.norm) @ self.embedding.t()


torch.manual_seed(1)
torch.set_num_threads(int(sys.argv[1]))
model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, foreach=True)
ids = torch.randint(0, V, (B, T))
for _ in sys.stdin:
    started = time.perf_counter()
    optimizer.zero_grad()
    F.cross_entropy(model(ids)[:, :-1].reshape(-1, V), ids[:, 1:].reshape(-1)).backward()
    optimizer.step()
    print(time.perf_counter() - started, flush=True)
