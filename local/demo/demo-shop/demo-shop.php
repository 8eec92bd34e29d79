<?php
/**
 * Plugin Name: Demo Shop
 * Description: A tiny catalogue and order book for the Backupd demo site: options with serialised data, a table of its own, a shortcode.
 * Version: 1.0.0
 * License: none, part of Backupd's demo
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

function demo_shop_table() {
	global $wpdb;
	return $wpdb->prefix . 'demo_shop_orders';
}

/** Orders hold a binary receipt, as real shops' tables do: a dump must bring every byte back. */
function demo_shop_activate() {
	global $wpdb;
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	$table   = demo_shop_table();
	$charset = $wpdb->get_charset_collate();
	dbDelta(
		"CREATE TABLE $table (
		id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
		customer varchar(190) NOT NULL,
		total decimal(10,2) NOT NULL,
		placed_at datetime NOT NULL,
		receipt longblob NOT NULL,
		note text NULL,
		PRIMARY KEY  (id),
		KEY placed_at (placed_at)
		) $charset;"
	);
}
register_activation_hook( __FILE__, 'demo_shop_activate' );

/** [demo_products]: the catalogue as a list. */
function demo_shop_products() {
	$catalog = get_option( 'demo_shop_catalog', array() );
	$items   = '';
	foreach ( $catalog as $product ) {
		$items .= sprintf(
			'<li><strong>%s</strong> <span class="demo-price">%s €</span> %s</li>',
			esc_html( $product['name'] ),
			esc_html( number_format( $product['price'], 2 ) ),
			$product['in_stock'] ? '' : '<em>sold out</em>'
		);
	}
	return '<ul class="demo-products">' . $items . '</ul>';
}
add_shortcode( 'demo_products', 'demo_shop_products' );

/** What a health check of a restored site can ask for: it needs the plugin, its option and its table. */
function demo_shop_status() {
	global $wpdb;
	$table = demo_shop_table();
	return array(
		'products' => count( get_option( 'demo_shop_catalog', array() ) ),
		'orders'   => (int) $wpdb->get_var( "SELECT COUNT(*) FROM $table" ), // phpcs:ignore
	);
}
add_action(
	'rest_api_init',
	function () {
		register_rest_route(
			'demo-shop/v1',
			'/status',
			array(
				'methods'             => 'GET',
				'callback'            => 'demo_shop_status',
				'permission_callback' => '__return_true',
			)
		);
	}
);
