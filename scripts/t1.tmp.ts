import {
  tensor,
  zeros,
  arange,
  realize,
  grad,
  Rng,
  linear,
  softmax,
  rmsNorm,
  layerNorm,
  groupNorm,
  embedding,
  concat,
  where,
  crossEntropy,
  getDevice,
  type Tensor,
} from "@omni/core";
const d = await getDevice();
console.log(d.description);
const show = async (n: string, t: Tensor) =>
  console.log(
    n,
    t.shape.join("x"),
    Array.from(await t.data())
      .slice(0, 12)
      .map((x) => +x.toFixed(4))
      .join(" "),
  );
const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
await show("add", x.add(1).mul(2));
await show("T", x.transpose().add(0));
await show("sum0", x.sum({ axis: 0 }));
await show("sum1", x.sum({ axis: 1 }));
await show("sum", x.sum());
await show("mm", x.matmul(x.transpose()));
await show("softmax", softmax(x));
await show("ln", layerNorm(x));
await show("rms", rmsNorm(x));
await show("slice", x.slice(1, 1, 3));
await show(
  "pad",
  x.pad([
    [1, 0],
    [0, 1],
  ]),
);
await show("flip", x.flip(1));
await show("concat", concat([x, x.mul(10)], { axis: 1 }));
await show("emb", embedding(x, tensor(new Int32Array([1, 0, 1]))));
await show("erf", x.mul(0.2).erf());
await show("gelu", x.sub(3).gelu());
const r = new Rng(7);
const n = r.normal([100000]);
await show("mean", n.mean());
await show("var", n.variance());
await show("u", r.uniform([8]));
await show("where", where(x.gt(2), x, -1));
await show("max", x.max({ axis: 0 }));
await show("repeat", x.repeat(2, 1));
// grad check
const w = new Rng(1).normal([5, 3]);
const b = new Rng(2).normal([5]);
await realize([w, b]);
const f = (w: Tensor) =>
  softmax(linear(x.mul(0.3), w, b))
    .square()
    .mul(tensor([1, 2, 3, 4, 5]))
    .sum();
const [g] = grad(f(w), [w]);
await show("g", g!);
const wd = await w.data();
const eps = 1e-2;
const num = [];
for (let i = 0; i < 12; i++) {
  const p = wd.slice(),
    m = wd.slice();
  p[i]! += eps;
  m[i]! -= eps;
  num.push(
    ((await f(tensor(p as Float32Array, { shape: [5, 3] })).item()) -
      (await f(tensor(m as Float32Array, { shape: [5, 3] })).item())) /
      (2 * eps),
  );
}
console.log("num", num.map((v) => v.toFixed(4)).join(" "));
