/** jax-js as one module. */
export * from "@jax-js/jax";
