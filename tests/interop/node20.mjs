// js-libp2p's dependencies use what Node has since 22, on 20 as well. To be imported first.

Promise.withResolvers ??= function () {
  const made = {}
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}
